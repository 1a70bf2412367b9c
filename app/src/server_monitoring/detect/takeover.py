"""How a detector comes to its share: whoever had a partition before is ended first.

A group's committed offset says where a partition's rows are needed from, and in its metadata
which detector has it and how far that one has read. A detector first claims its partitions, then
ends those that had them, then looks whether the claims are still its own. So of two detectors
that believe to have a partition, as when shares change, one alone can write.
"""

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Self

from server_monitoring.broker.client import Client
from server_monitoring.broker.cluster import Cluster
from server_monitoring.broker.reader import Reader, TopicPartition
from server_monitoring.broker.transaction import Offsets, Transactions
from server_monitoring.detect import state
from server_monitoring.detect.engine import Engine
from server_monitoring.errors import BrokerError, FencedError
from server_monitoring.model.groups import Group, Share
from server_monitoring.model.live import detector_group, detector_id
from server_monitoring.model.wire import partition_for
from server_monitoring.settings.live import Live


class Claim(NamedTuple):
    """What a detector says with each committed offset.

    Attributes:
        detector: its place in its group.
        read_to: the offset up to which it has read.

    """

    detector: int
    read_to: int

    def text(self) -> str:
        """Return the claim as a committed offset's metadata."""
        return json.dumps(self._asdict())

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the claim in a committed offset's metadata; None where there is none."""
        try:
            # A client may give more than was committed: what follows the claim is not of it.
            content, _ = json.JSONDecoder().raw_decode(text)
            return cls(int(content["detector"]), int(content["read_to"]))
        except (ValueError, TypeError, KeyError):
            return None


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
    group: Group,
    index: int,
    assigned: list[TopicPartition],
    timeout: float,
) -> Places:
    """Claim partitions, end all detectors that had them, and return where to read on.

    Raises:
        FencedError: another detector took one of them meanwhile.
        BrokerError: no answer, or a refusal.

    """
    before = reader.committed(assigned)
    owners = _owners(before)
    if set(owners) != set(assigned) or set(owners.values()) != {index}:
        claimed = {tp: before.get(tp, (reader.beginning(tp), "")) for tp in assigned}
        transactions.write(
            (), claims(index, {tp: at for tp, (at, _) in claimed.items()}, _read_to(claimed))
        )
        for other in sorted(set(owners.values()) - {index}):
            ended = detector_id(group.name, other), detector_group(group.name)
            with client.open_transactions(cluster, *ended, timeout):
                pass
    now = reader.committed(assigned)
    lost = [tp for tp in assigned if _owners(now).get(tp) != index]
    if lost:
        raise FencedError(
            f"group {group.name}: another detector has taken {lost[0].topic} partition "
            f"{lost[0].partition} meanwhile; see that one host alone has it, then start this again"
        )
    ends = reader.end_offsets(assigned)
    positions = {tp: _position(reader, tp, at, ends[tp]) for tp, (at, _) in now.items()}
    return Places(positions, _read_to(now), reader.partitions(assigned[0].topic))


def claims(
    index: int, needed: Mapping[TopicPartition, int], read_to: Mapping[TopicPartition, int]
) -> Offsets:
    """Return the offsets to commit: from where rows are needed, and how far they were read."""
    return {tp: (at, Claim(index, read_to.get(tp, at)).text()) for tp, at in needed.items()}


def restore(
    reader: Reader, engine: Engine, group: Group, topic: str, partitions: Iterable[int], count: int
) -> None:
    """Give an engine the states that earlier detectors wrote to partitions of the state topic.

    Those of servers whose partition is another one since topics grew are left out.

    Raises:
        BrokerError: no answer, or a record that is no state.

    """
    for partition in partitions:
        tp = TopicPartition(topic, partition)
        end = reader.end_offsets([tp])[tp]
        for record in reader.records(tp, reader.beginning(tp), end):
            try:
                of_group, server_id, label = state.read_key(record.key or b"")
                if of_group == group.name and partition_for(server_id, count) == partition:
                    engine.restore(partition, server_id, label, record.value)
            except (ValueError, TypeError, KeyError) as error:
                raise BrokerError(
                    f"topic {topic}: partition {partition}: the record at offset {record.offset} "
                    f"is no alert's state ({error}); find out who writes to this topic, delete "
                    "its records up to there and start this again"
                ) from error


def _owners(committed: Offsets) -> dict[TopicPartition, int]:
    found = {tp: Claim.parse(text) for tp, (_, text) in committed.items()}
    return {tp: claim.detector for tp, claim in found.items() if claim is not None}


def _read_to(committed: Offsets) -> dict[TopicPartition, int]:
    found = {tp: (at, Claim.parse(text)) for tp, (at, text) in committed.items()}
    return {tp: at if claim is None else claim.read_to for tp, (at, claim) in found.items()}


def _position(reader: Reader, tp: TopicPartition, committed: int, end: int) -> int:
    """Return where to read: what is no longer there, or of a topic before, is passed over."""
    first = reader.beginning(tp)
    return committed if first <= committed <= end else first
