"""How a detector comes to its share: whoever had a partition before is ended first.

Beside the states of a partition's servers stands, for each input topic, from where its rows are
needed, how far they were read, and which detector has it: in one log, so that whoever reads it
finds all three as one transaction left them. The group's committed offsets say the same to tools
that show lag, and nothing is read from them.

A detector first claims its partitions, then ends those that had them, then looks whether the
claims are still its own. So of two detectors that believe to have a partition, as when shares
change, one alone can write.
"""

import contextlib
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Self

from server_monitoring.broker.client import Client
from server_monitoring.broker.cluster import Cluster
from server_monitoring.broker.limits import CONNECT_SECONDS
from server_monitoring.broker.reader import Reader, Record, TopicPartition
from server_monitoring.broker.transaction import Outgoing, Transactions
from server_monitoring.detect.engine import Engine
from server_monitoring.detect.rules import Rules
from server_monitoring.errors import BrokerError, FencedError, one_line
from server_monitoring.model.groups import Group, Share
from server_monitoring.model.live import detector_group, detector_id, read_key, state_key
from server_monitoring.model.wire import partition_for
from server_monitoring.settings.live import Live

_PAUSE_SECONDS = 0.1


class Claim(NamedTuple):
    """What a detector says of an input partition.

    Attributes:
        detector: its place in its group.
        needed: the offset of the oldest row that an open window needs.
        read_to: the offset up to which it has read.

    """

    detector: int
    needed: int
    read_to: int

    def record(self, state_topic: str, group: str, tp: TopicPartition) -> Outgoing:
        """Return the claim as a record of the state topic: that of no server."""
        key = state_key(group, "", tp.topic)
        at = TopicPartition(state_topic, tp.partition)
        return Outgoing(at, key, json.dumps(self._asdict()).encode())

    @classmethod
    def parse(cls, value: bytes) -> Self:
        """Return the claim of such a record.

        Raises:
            ValueError, TypeError, KeyError: it is none.

        """
        found = json.loads(value)
        return cls(int(found["detector"]), int(found["needed"]), int(found["read_to"]))


class Places(NamedTuple):
    """Where a detector begins to read.

    Attributes:
        positions: of each input partition.
        known_to: up to where its rows were read before.
        partitions: how many each input topic has.

    """

    positions: dict[TopicPartition, int]
    known_to: dict[TopicPartition, int]
    partitions: int


class States:
    """The last states in the state topic's partitions that belong to a detector's share."""

    def __init__(self, reader: Reader, topic: str, group: Group, partitions: Iterable[int]) -> None:
        """Read them, to the end of what is committed.

        Raises:
            BrokerError: no answer, or a record that is no state.

        """
        self._topic = topic
        self._inputs = {metric.topic for metric in group.metrics}
        self.claims: dict[TopicPartition, Claim] = {}
        self._servers: dict[tuple[int, str, str], tuple[int, bytes]] = {}
        for tp, records in committed(reader, [TopicPartition(topic, p) for p in partitions]):
            for record in records:
                with self._understood(tp.partition, record.offset):
                    self._note(group, tp.partition, record)

    def _note(self, group: Group, partition: int, record: Record) -> None:
        of_group, server_id, label = read_key(record.key or b"")
        if of_group != group.name:
            return
        if not server_id:
            # Whatever else is of no server is not the detector's.
            if record.value is not None and label in self._inputs:
                self.claims[TopicPartition(label, partition)] = Claim.parse(record.value)
        elif record.value is None:
            self._servers.pop((partition, server_id, label), None)
        else:
            self._servers[partition, server_id, label] = record.offset, record.value

    def restore(self, engine: Engine, count: int) -> None:
        """Give them to an engine, but for servers of another partition since topics grew.

        Raises:
            BrokerError: a record is no state.

        """
        for (partition, server_id, label), (offset, value) in self._servers.items():
            if partition_for(server_id, count) == partition:
                with self._understood(partition, offset):
                    engine.restore(partition, server_id, label, value)

    @contextlib.contextmanager
    def _understood(self, partition: int, offset: int) -> Iterator[None]:
        try:
            yield
        except (ValueError, TypeError, KeyError) as error:
            raise BrokerError(
                f"topic {self._topic}: partition {partition}: the record at offset {offset} is no "
                f"alert's state ({one_line(error, 80)}); find out who writes to this topic, delete "
                "its records up to there and start this again"
            ) from error


def assigned_partitions(
    reader: Reader, group: Group, share: Share, live: Live
) -> list[TopicPartition]:
    """Return this host's partitions of both input topics.

    Raises:
        BrokerError: a topic is missing, see also `Share.of`; or an output topic has too few.

    """
    counts = {metric.topic: reader.partitions(metric.topic) for metric in group.metrics}
    assigned = [TopicPartition(*place) for place in share.of(counts, group)]
    for topic in (live.alerts_topic, live.state_topic):
        found, least = reader.partitions(topic), min(counts.values())
        if found < least:
            raise BrokerError(
                f"topic {topic}: has {found} partitions, expected at least the {least} of the "
                f"topics of group {group.name}: grow it in the inventory and provision"
            )
    return assigned


def take_over(
    client: Client,
    cluster: Cluster,
    reader: Reader,
    transactions: Transactions,
    rules: Rules,
    index: int,
    assigned: list[TopicPartition],
    timeout: float,
) -> tuple[Places, States]:
    """Claim partitions, end all detectors that had them, and return where to read on.

    Raises:
        FencedError: another detector took one of them meanwhile.
        BrokerError: no answer, or a refusal.

    """
    group, topic = rules.group, rules.live.state_topic
    partitions = sorted({tp.partition for tp in assigned})
    # Before anything is read: a question would wait behind each answer to a fetch.
    count, ends = reader.partitions(assigned[0].topic), reader.end_offsets(assigned)
    within = {tp: (reader.beginning(tp), ends[tp]) for tp in assigned}
    states = States(reader, topic, group, partitions)
    owners = {tp: claim.detector for tp, claim in states.claims.items()}
    if any(owners.get(tp) != index for tp in assigned):
        claimed = {tp: _claim(within[tp][0], states.claims.get(tp), index) for tp in assigned}
        transactions.write([c.record(topic, group.name, tp) for tp, c in claimed.items()], {})
        for other in sorted({owners[tp] for tp in assigned if tp in owners} - {index}):
            ended = detector_id(group.name, other), detector_group(group.name)
            with client.open_transactions(cluster, *ended, timeout):
                pass
        states = _own_states(reader, topic, group, assigned, index)
    positions = {}
    for tp, (first, end) in within.items():
        needed = states.claims[tp].needed
        # What is no longer there, or of a topic before this one, is passed over.
        fits = first <= needed and (needed <= end or needed <= reader.end_offsets([tp])[tp])
        positions[tp] = needed if fits else first
    known_to = {tp: states.claims[tp].read_to for tp in assigned}
    return Places(positions, known_to, count), states


def committed(
    reader: Reader, tps: Sequence[TopicPartition]
) -> Iterator[tuple[TopicPartition, Sequence[Record]]]:
    """Yield the records of partitions up to their ends: control records are passed over.

    Raises:
        BrokerError: no answer, or an end that is not reached.

    """
    ends = reader.end_offsets(tps)
    yield from reader.batches({tp: reader.beginning(tp) for tp in tps}, ends)


def _claim(first: int, before: Claim | None, index: int) -> Claim:
    return Claim(index, first, first) if before is None else before._replace(detector=index)


def _own_states(
    reader: Reader, topic: str, group: Group, assigned: list[TopicPartition], index: int
) -> States:
    """Return the states once the claims in them are this detector's own.

    A transaction that was committed is seen a moment later.

    Raises:
        FencedError: another detector's claims stay there.

    """
    partitions = sorted({tp.partition for tp in assigned})
    deadline = time.monotonic() + CONNECT_SECONDS
    while True:
        states = States(reader, topic, group, partitions)
        lost = [
            tp for tp in assigned if tp not in states.claims or states.claims[tp].detector != index
        ]
        if not lost:
            return states
        if time.monotonic() > deadline:
            raise FencedError(
                f"group {group.name}: another detector took over {lost[0].topic} partition "
                f"{lost[0].partition} meanwhile; see that one host alone has it, then start this "
                "again"
            )
        time.sleep(_PAUSE_SECONDS)
