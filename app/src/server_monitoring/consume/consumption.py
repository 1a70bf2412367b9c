"""Consume a group's part of one run: with a connection, its status lines and its summary."""

import contextlib
import time
from collections.abc import Callable

from server_monitoring import __version__
from server_monitoring.broker.client import client_for
from server_monitoring.broker.failures import in_mid_run
from server_monitoring.broker.limits import DOUBT_SECONDS
from server_monitoring.broker.patience import Patience
from server_monitoring.consume.consumer import Consumer, Waits
from server_monitoring.errors import CredentialsError, ServerMonitoringError, StorageError
from server_monitoring.host import notify
from server_monitoring.host.durable import write_json
from server_monitoring.host.full_disk import FullDisk
from server_monitoring.host.progress import stored_text, waiting_text
from server_monitoring.host.runs import Run
from server_monitoring.host.summary import Timer, rates
from server_monitoring.model.groups import Group
from server_monitoring.model.names import consumer_group
from server_monitoring.settings.config import Config, share_of


def consume(config: Config, run: Run, group: Group, stopping: Callable[[], bool]) -> None:
    """Store this host's share of the group until the end offsets, or until `stopping()`.

    At the end offsets the summary is written to the run's `consume-<group>.json`.

    Raises:
        ConfigError: this host consumes nothing of the group.
        BrokerError, StorageError: see `consumer.Consumer`; UnreachableError and DiskFullError only
            once the broker has been away, or the disk full, for as long as the configuration
            allows. The reason stands in the run's `consume-<group>.failed`, for the analysis.

    """
    status = notify.Status()
    consumption = Consumption(config, run, group, status)
    full_disk = FullDisk([run.directory], config.full_disk_timeout, status.tell)
    patience = consumption.patience
    failed = run.failed(group.name)
    failed.unlink(missing_ok=True)
    try:
        full_disk.retry(
            lambda: patience.retry(lambda: consumption.attempt(stopping), stopping), stopping
        )
    except CredentialsError:
        raise  # It is started again, with new ones.
    except ServerMonitoringError as error:
        with contextlib.suppress(StorageError):
            write_json(failed, {"run_id": run.run_id, "reason": str(error)})
        raise


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
        self.patience = Patience(config.broker_timeout, self._tell_waiting)

    def attempt(self, stopping: Callable[[], bool]) -> None:
        """Store records until the end offsets, or until `stopping()`.

        Raises:
            BrokerError, StorageError: see `consumer.Consumer`.

        """
        group_id = consumer_group(self._group.name)
        with self._client.open_reader(self._config.cluster, group_id) as reader:
            waits = Waits(self._config.broker_timeout, self._config.idle_timeout)
            consumer = Consumer(reader, self._run, self._group, self._share, waits, time.monotonic)
            try:
                consumer.start()
                self.patience.answered()
                notify.ready(f"waiting for records of run {self._run.run_id}")
                with in_mid_run():
                    ended = consumer.run(stopping, lambda: self._show(consumer))
            finally:
                consumer.close()
        if not ended:
            line = stored_text(consumer.totals("rows"), {}, 0)
            self._status.tell(f"stopped before the end; {line}; start again to resume")
            return
        self._status.tell(_stored(consumer))
        write_json(self._run.consumed(self._group.name), self._summary(consumer))

    def _show(self, consumer: Consumer) -> None:
        if not self._status.due():
            return
        if consumer.behind > DOUBT_SECONDS:
            self._tell_waiting(self._config.broker_timeout - consumer.behind, _stored(consumer))
        else:
            self._status.tell(_stored(consumer))

    def _tell_waiting(self, left: float, why: object) -> None:
        self._status.tell(waiting_text("the broker", left, why))

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
