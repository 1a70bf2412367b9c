"""Detect a group's alerts for ever: from the topics to the alerts, a transaction at a time."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

from server_monitoring.broker.client import client_for
from server_monitoring.broker.failures import in_mid_run
from server_monitoring.broker.reader import Reader, Records, TopicPartition
from server_monitoring.broker.transaction import Outgoing, Transactions
from server_monitoring.detect.engine import Engine, Out
from server_monitoring.detect.rows import rows
from server_monitoring.detect.rules import Rules
from server_monitoring.detect.summary import status_line, summary, summary_path
from server_monitoring.detect.takeover import (
    Claim,
    Places,
    assigned_partitions,
    take_over,
)
from server_monitoring.errors import UnreachableError
from server_monitoring.host import notify
from server_monitoring.host.durable import storage_error, write_json
from server_monitoring.model.groups import Group
from server_monitoring.model.live import detector_group, detector_id
from server_monitoring.model.senders import Senders
from server_monitoring.settings.config import Config, live_of, share_of

POLL_MS = 100
POLL_RECORDS = 10_000
WRITE_SECONDS = 0.1
OFFSET_SECONDS = 5.0
LOOK_SECONDS = 1.0
SUMMARY_SECONDS = 10.0
GROWN_SECONDS = 60.0
# Of one that was begun on a host that is gone: readers of alerts wait so long for its end.
TRANSACTION_SECONDS = 30.0


def detect(config: Config, group: Group, senders: Senders, stopping: Callable[[], bool]) -> None:
    """Detect on this host's share of the group, of rows of `senders` alone, until `stopping()`.

    Raises:
        ConfigError: live mode is not set up, or this host has no share of the group.
        FencedError: another detector took over a partition.
        BrokerError: the broker does not answer, or refuses; a new start goes on where it was.
        StorageError: the summary cannot be written.

    """
    rules = Rules.of(config, group, live_of(config))
    share = share_of(config, group.name)
    client = client_for(config.kafka_client)
    ids = detector_id(group.name, share.index), detector_group(group.name)
    outputs = rules.live.alerts_topic, rules.live.state_topic
    path = summary_path(config.data_dir, group)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(path, error) from error
    with ExitStack() as opened:
        reader = opened.enter_context(client.open_reader(config.cluster, ids[1], live=True))
        assigned = assigned_partitions(reader, group, share, rules.live)
        transactions = opened.enter_context(
            client.open_transactions(config.cluster, *ids, TRANSACTION_SECONDS, outputs)
        )
        share_of_topics = (rules, share.index, assigned, TRANSACTION_SECONDS)
        places, states = take_over(client, config.cluster, reader, transactions, *share_of_topics)
        engine = Engine(rules)
        states.restore(engine, places.partitions)
        engine.begin({tp.partition for tp in assigned}, places.partitions, time.time())
        of = rules, senders, share.index
        detector = Detector(reader, transactions, engine, *of, places, path)
        with in_mid_run():
            detector.run(stopping)


class Detector:
    """The loop from poll to transaction."""

    def __init__(
        self,
        reader: Reader,
        transactions: Transactions,
        engine: Engine,
        rules: Rules,
        senders: Senders,
        index: int,
        places: Places,
        path: Path,
    ) -> None:
        """Begin at `places`; `path` is the summary's."""
        self._reader = reader
        self._transactions = transactions
        self._engine = engine
        self._rules = rules
        self._senders = senders
        self._index = index
        self._places = places
        self._path = path
        self._next = dict(places.positions)
        self._metrics = {m.topic: (i, m.column) for i, m in enumerate(rules.group.metrics)}
        # Since when something is due, and the ends of the partitions then.
        self._check: tuple[float, dict[TopicPartition, int]] | None = None
        self._committed: dict[TopicPartition, int] = {}
        self._behind = 0.0
        self._status = notify.Status()
        self._wrote = self._wrote_offsets = self._looked = self._summed = 0.0
        self._asked = time.time()

    def run(self, stopping: Callable[[], bool]) -> None:
        """Detect until `stopping()`.

        Raises:
            BrokerError, StorageError: see `detect`.

        """
        self._take_all(self._reader.start(self._places.positions))
        notify.ready(f"detecting on {len(self._next)} partitions of {self._rules.group.name}")
        while not stopping():
            self._take_all(self._reader.poll(POLL_MS, POLL_RECORDS))
            now = time.time()
            self._look(now)
            due = now - self._wrote >= WRITE_SECONDS and self._engine.pending()
            if due or now - self._wrote_offsets >= OFFSET_SECONDS:
                self._write(now)
        self._write(time.time(), last=True)
        self._sum_up()
        self._status.tell(f"stopped; {self._line()}")

    def _take_all(self, polled: Records) -> None:
        self._behind = 0.0
        for tp, records in polled.items():
            metric, column = self._metrics[tp.topic]
            of = column, tp, self._places.partitions, self._senders
            found = rows(records, *of, self._engine.seen)
            self._engine.take(metric, tp.partition, found, self._places.known_to[tp])
            self._next[tp] = records[-1].offset + 1
            self._behind = max(self._behind, time.time() - records[-1].timestamp / 1000)

    def _look(self, now: float) -> None:
        """Do what is due by the clock, once all that arrived before was taken."""
        if self._check is not None:
            then, ends = self._check
            if all(self._reader.position(tp) >= end for tp, end in ends.items()):
                self._engine.tick(then)
                self._check = None
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        if self._check is None and self._engine.due(now):
            self._check = now, self._reader.end_offsets(list(self._next))
        if now - self._summed >= SUMMARY_SECONDS:
            self._summed = now
            self._sum_up()
        if now - self._asked >= GROWN_SECONDS:
            self._asked = now
            self._check_grown()
        if self._status.due():
            self._status.tell(self._line())

    def _check_grown(self) -> None:
        """End where a topic has grown: a new start has its new partitions."""
        for topic in self._metrics:
            if self._reader.partitions(topic) != self._places.partitions:
                raise UnreachableError(
                    f"topic {topic}: has grown since this was started; start this again (systemd "
                    "does)"
                )

    def _write(self, now: float, *, last: bool = False) -> None:
        """Write what there is to say, and now and then from where rows are needed."""
        output, live = self._engine.output(), self._rules.live
        offsets = {}
        if last or now - self._wrote_offsets >= OFFSET_SECONDS:
            offsets = self._moved()
            self._wrote_offsets = now
        claims = {tp: Claim(self._index, at, self._next[tp]) for tp, at in offsets.items()}
        records = [
            *_outgoing(live.alerts_topic, output.alerts),
            *_outgoing(live.state_topic, output.states.values()),
            *(
                claim.record(live.state_topic, self._rules.group.name, tp)
                for tp, claim in claims.items()
            ),
        ]
        self._wrote = now
        if records:
            self._transactions.write(records, {tp: (at, "") for tp, at in offsets.items()})

    def _moved(self) -> dict[TopicPartition, int]:
        """Return the offsets to commit of the partitions in which anything was read since."""
        needed, found = self._engine.needed(), {}
        for tp, read_to in self._next.items():
            if self._committed.get(tp) != read_to:
                self._committed[tp] = read_to
                metric, _ = self._metrics[tp.topic]
                found[tp] = min(read_to, needed.get((metric, tp.partition), read_to))
        return found

    def _sum_up(self) -> None:
        partitions: dict[str, list[int]] = {topic: [] for topic in self._metrics}
        for tp in self._next:
            partitions[tp.topic].append(tp.partition)
        write_json(self._path, summary(self._engine, self._rules.group, partitions))

    def _line(self) -> str:
        return status_line(self._engine, self._rules.group, self._behind)


def _outgoing(topic: str, records: Iterable[Out]) -> Iterator[Outgoing]:
    return (Outgoing(TopicPartition(topic, out.partition), out.key, out.value) for out in records)
