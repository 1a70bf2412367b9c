"""Store agents' rows of a group for ever: with a connection, its status lines and its summary."""

import time
from collections.abc import Callable
from pathlib import Path

from server_monitoring import __version__
from server_monitoring.broker.client import client_for
from server_monitoring.broker.failures import in_mid_run
from server_monitoring.broker.patience import Patience
from server_monitoring.consume.live import LiveConsumer
from server_monitoring.consume.sift import Timely
from server_monitoring.host import notify
from server_monitoring.host.durable import storage_error, write_json
from server_monitoring.host.full_disk import FullDisk
from server_monitoring.host.progress import stored_text, waiting_text
from server_monitoring.host.summary import utc_now
from server_monitoring.model.groups import Group
from server_monitoring.model.names import LIVE_RUN, live_group
from server_monitoring.model.senders import Senders
from server_monitoring.settings.config import Config, live_of, share_of

SUMMARY_SECONDS = 10.0
LEFT_OUT = ("foreign", "malformed", "unsigned", "unlisted", "outlying", "untimely")


def summary_path(live: Path, group: Group) -> Path:
    """Return the file in which a group's live consumer on this host says how far it is."""
    return live / f"consume-{group.name}.json"


def consume_live(
    config: Config, group: Group, senders: Senders, stopping: Callable[[], bool]
) -> None:
    """Store this host's share of the rows that `senders` send of a group until `stopping()`.

    Raises:
        ConfigError: live mode is not set up, or this host consumes nothing of the group.
        BrokerError, StorageError: see `live.LiveConsumer`; UnreachableError and DiskFullError only
            once the broker has been away, or the disk full, for as long as the configuration
            allows.

    """
    consumption = LiveConsumption(config, group, senders)
    patience, full_disk = consumption.patience, consumption.full_disk
    full_disk.retry(
        lambda: patience.retry(lambda: consumption.attempt(stopping), stopping), stopping
    )


class LiveConsumption:
    """Everything that is done again, from the journals on, when the disk was full meanwhile."""

    def __init__(self, config: Config, group: Group, senders: Senders) -> None:
        """Consume this host's share of the group, rows of `senders` alone.

        Raises:
            ConfigError: live mode is not set up, or this host consumes nothing of the group.
            StorageError: the folder of all days cannot be made.

        """
        self._config = config
        self._group = group
        self._senders = senders
        self._share = share_of(config, group.name)
        patience = live_of(config)
        self._timely = Timely(patience.late_hours * 3600, patience.future_seconds)
        self._live = config.data_dir / LIVE_RUN
        try:
            self._live.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(self._live, error) from error
        self._status = notify.Status()
        self._summed_up = 0.0
        self._shown: tuple[float, dict[str, int]] | None = None
        self.patience = Patience(config.broker_timeout, self._tell_waiting)
        self.full_disk = FullDisk([self._live], config.full_disk_timeout, self._status.tell)

    def attempt(self, stopping: Callable[[], bool]) -> None:
        """Store rows until `stopping()`.

        Raises:
            BrokerError, StorageError: see `live.LiveConsumer`.

        """
        client = client_for(self._config.kafka_client)
        group_id = live_group(self._group.name)
        with client.open_reader(self._config.cluster, group_id, live=True) as reader:
            rules = self._share, self._timely, self._senders
            consumer = LiveConsumer(reader, self._live, self._group, *rules)
            try:
                consumer.start()
                self.patience.answered()
                count = len(consumer.partitions)
                notify.ready(f"storing agents' rows of {self._group.name}, {count} partitions")
                with in_mid_run():
                    consumer.run(stopping, lambda: self._show(consumer))
                self._sum_up(consumer)
            finally:
                consumer.close()
        self._status.tell(f"stopped; {self._line(consumer)}; start again to go on")

    def _show(self, consumer: LiveConsumer) -> None:
        if not self._status.due():
            return
        self._status.tell(self._line(consumer))
        if time.monotonic() - self._summed_up >= SUMMARY_SECONDS:
            self._summed_up = time.monotonic()
            self._sum_up(consumer)
            self.full_disk.renew()

    def _line(self, consumer: LiveConsumer) -> str:
        now, rows = time.monotonic(), consumer.totals("rows")
        then, before = self._shown or (now, rows)
        self._shown = now, rows
        since = {topic: rows[topic] - before[topic] for topic in rows}
        line = f"{stored_text(rows, since, now - then)}, {consumer.behind} records behind"
        others = {name: sum(consumer.totals(name).values()) for name in LEFT_OUT}
        counted = ", ".join(f"{number} {name}" for name, number in others.items() if number)
        return f"{line}; {counted}" if counted else line

    def _tell_waiting(self, left: float, why: object) -> None:
        self._status.tell(waiting_text("the broker", left, why))

    def _sum_up(self, consumer: LiveConsumer) -> None:
        partitions: dict[str, list[int]] = {metric.topic: [] for metric in self._group.metrics}
        for tp in consumer.partitions:
            partitions[tp.topic].append(tp.partition)
        content = {
            "group": self._group.name,
            "updated": utc_now(),
            "partitions": partitions,
            "behind": consumer.behind,
            "rows": consumer.totals("rows"),
            **{name: sum(consumer.totals(name).values()) for name in LEFT_OUT},
            "app_version": __version__,
        }
        write_json(summary_path(self._live, self._group), content)
