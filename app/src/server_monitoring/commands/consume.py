"""`server-monitoring consume`: store a group's records of one run."""

import argparse
import signal
import time

from server_monitoring import __version__
from server_monitoring.broker.client import client_for
from server_monitoring.broker.failures import in_mid_run
from server_monitoring.commands import common
from server_monitoring.consume.consumer import Consumer
from server_monitoring.host import notify
from server_monitoring.host.durable import write_json
from server_monitoring.host.full_disk import FullDisk
from server_monitoring.host.progress import stored_text
from server_monitoring.host.runs import Run
from server_monitoring.host.summary import Timer, rates
from server_monitoring.model.groups import Group
from server_monitoring.model.names import consumer_group
from server_monitoring.settings.config import Config, share_of

HELP = "store a metric group's records in raw CSV segments, up to the run's end offsets"
EXAMPLE = "server-monitoring consume --run-id 2024-05-01 --group cpu_mem"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    common.add_run_id(parser)
    common.add_group(parser)
    common.add_config(parser)
    common.add_credentials(parser)


def run(args: argparse.Namespace) -> int:
    """Store records until the end offsets or SIGTERM; write consume-GROUP.json at the end."""
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stop.append(number))
    signal.signal(signal.SIGINT, lambda number, _: stop.append(number))
    common.collect_rarely()
    config = common.load_config_to_connect(args)
    run_files = common.open_run(args, config)
    status = notify.Status()
    consumption = Consumption(config, run_files, config.group(args.group), status)
    full_disk = FullDisk([run_files.directory], config.full_disk_timeout, status.tell)
    return full_disk.retry(lambda: consumption.attempt(stop), lambda: bool(stop))


class Consumption:
    """Everything that is done again, from the sidecars on, when the disk was full meanwhile."""

    def __init__(self, config: Config, run: Run, group: Group, status: notify.Status) -> None:
        """Consume this host's share of the group.

        Raises:
            ConfigError: this host consumes nothing of the group.

        """
        self._config = config
        self._run = run
        self._group = group
        self._share = share_of(config, group.name)
        self._status = status
        self._client = client_for(config.kafka_client)
        self._timer = Timer()

    def attempt(self, stop: list[int]) -> int:
        """Store records until the end offsets, or until `stop` holds a signal.

        Raises:
            BrokerError, StorageError: see `consumer.Consumer`.

        """
        group_id = consumer_group(self._group.name)
        with self._client.open_reader(self._config.cluster, group_id) as reader:
            patience = self._config.broker_timeout
            consumer = Consumer(
                reader, self._run, self._group, self._share, patience, time.monotonic
            )
            try:
                consumer.start()
                notify.ready(f"waiting for records of run {self._run.run_id}")
                with in_mid_run():
                    ended = consumer.run(lambda: bool(stop), lambda: self._show(consumer))
            finally:
                consumer.close()
        rows = consumer.totals("rows")
        if not ended:
            line = stored_text(rows, {}, 0)
            self._status.tell(f"stopped before the end; {line}; start again to resume")
            return 0
        self._status.tell(_stored(consumer))
        write_json(
            self._run.directory / f"consume-{self._group.name}.json", self._summary(consumer)
        )
        return 0

    def _show(self, consumer: Consumer) -> None:
        if self._status.due():
            self._status.tell(_stored(consumer))

    def _summary(self, consumer: Consumer) -> dict[str, object]:
        rows = consumer.totals("rows")
        partitions: dict[str, list[int]] = {topic: [] for topic in rows}
        for tp in consumer.segments:
            partitions[tp.topic].append(tp.partition)
        return {
            "run_id": self._run.run_id,
            "group": self._group.name,
            "rows": rows,
            "foreign": sum(consumer.totals("foreign").values()),
            "malformed": sum(consumer.totals("malformed").values()),
            "duplicates": sum(consumer.totals("duplicates").values()),
            "partitions": partitions,
            **self._timer.span(),
            "messages_per_second": rates(consumer.progress.rows, consumer.progress.seconds()),
            "client": self._client.description(),
            "app_version": __version__,
        }


def _stored(consumer: Consumer) -> str:
    done = consumer.progress
    return stored_text(consumer.totals("rows"), done.rows, done.seconds())
