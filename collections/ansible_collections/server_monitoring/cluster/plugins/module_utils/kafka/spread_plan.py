"""What has to be moved so that replicas lie as declared: plain values in, plain values out.

Nothing here talks to a broker, so that every decision can be tested without one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from .spread import Partition, spread
from .spread_wanted import Wanted, ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MIN_INSYNC = "min.insync.replicas"
# Partitions that a line or a result names; of the rest it says how many.
NAMED = 5


class Replicas(NamedTuple):
    """A partition as it is: who holds it, who of them is in sync, and who leads (-1: nobody)."""

    holders: tuple[int, ...]
    in_sync: tuple[int, ...]
    leader: int


class Move(NamedTuple):
    """A reassignment that goes on: who shall hold the partition, and who is being added."""

    target: tuple[int, ...]
    adding: tuple[int, ...]


@dataclass
class Found:
    """The cluster as it is.

    Attributes:
        partitions: of every topic; while one is moved, its old and new holders.
        moving: the reassignments that go on.
        known: ids of the brokers that are registered; `up` of those that the controller hears.
        min_insync: each min.insync.replicas that a broker has; `own_min_insync` that of topics.
        throttled_topics, throttled_brokers: those with settings that throttle a move.

    """

    partitions: dict[Partition, Replicas]
    moving: dict[Partition, Move] = field(default_factory=dict)
    known: frozenset[int] = frozenset()
    up: frozenset[int] = frozenset()
    min_insync: frozenset[int] = frozenset()
    own_min_insync: dict[str, int] = field(default_factory=dict)
    throttled_topics: list[str] = field(default_factory=list)
    throttled_brokers: list[int] = field(default_factory=list)

    def holders(self, partition: Partition) -> tuple[int, ...]:
        """Return who holds a partition when what is being moved has been."""
        move = self.moving.get(partition)
        return move.target if move else self.partitions[partition].holders

    def original(self, partition: Partition) -> tuple[int, ...]:
        """Return who held a partition before it was moved."""
        move, holders = self.moving.get(partition), self.partitions[partition].holders
        return tuple(b for b in holders if b not in move.adding) if move else holders

    def not_led_by_first(self) -> list[Partition]:
        """Return the partitions that another replica leads than their first."""
        return sorted(p for p, r in self.partitions.items() if r.leader != self.holders(p)[0])

    def short_of(self, copies: int) -> list[Partition]:
        """Return the partitions with less copies in sync than is wanted of those with as many."""
        return sorted(
            p
            for p, r in self.partitions.items()
            if len(r.in_sync) < min(self.own_min_insync.get(p[0], copies), len(r.holders))
        )


@dataclass
class Plan:
    """Where partitions go.

    Attributes:
        targets: of each partition to move, who shall hold it; also of those on their way there.
        foreign: lines about moves to elsewhere, with any of which nothing may be done.

    """

    targets: dict[Partition, tuple[int, ...]]
    foreign: list[str]


def name(partition: Partition) -> str:
    """Return a partition as Kafka's logs have it: topic-0."""
    return f"{partition[0]}-{partition[1]}"


def names(partitions: Iterable[Partition]) -> str:
    """Return the first of the partitions, and how many there are more."""
    return listed(list(map(name, partitions)))


def listed(texts: Sequence[str]) -> str:
    """Return the first of several texts, and how many there are more."""
    more = f" and {len(texts) - NAMED} more" if len(texts) > NAMED else ""
    return ", ".join(texts[:NAMED]) + more


def problems(wanted: Wanted, found: Found) -> list[str]:
    """Return why the cluster cannot be brought there now, one line each; empty if it can."""
    up = ids(sorted(found.up))
    lines = [
        f"brokers: found {broker}, which is not in the cluster, expected some of {up}"
        if broker not in found.known
        else f"broker {broker}: found that the controller does not hear it, expected it up: see "
        '"journalctl -u kafka" there, or name it in leaving'
        for broker in sorted(wanted.brokers.keys() - found.up)
    ]
    held = {broker for replicas in found.partitions.values() for broker in replicas.holders}
    lines += [
        f"broker {broker}: found replicas on it, expected it in brokers or in leaving: "
        "playbooks/kafka_leave.yml takes a broker out"
        for broker in sorted(held - wanted.brokers.keys() - wanted.leaving)
    ]
    lines += [
        f"partition {name(p)}: found no leader, as broker {ids(r.holders)} is away: start it first"
        for p, r in sorted(found.partitions.items())
        if r.leader < 0
    ]
    least = wanted.min_insync or max(found.min_insync, default=1)
    for topic in sorted({topic for topic, _ in found.partitions}):
        copies, need = wanted.copies_of(topic), found.own_min_insync.get(topic, least)
        if copies < need:
            lines.append(
                f"topic {topic}: found {MIN_INSYNC} {need}, expected at most {copies}, the copies "
                "that are declared: nobody could write to it"
            )
    return lines


def make_plan(wanted: Wanted, found: Found) -> Plan:
    """Return where partitions go from where they are, or are going to."""
    present: dict[str, list[list[int]]] = {}
    for topic, index in sorted(found.partitions):
        present.setdefault(topic, []).append(list(found.holders((topic, index))))
    spreaded = spread(
        present, wanted.brokers, {topic: wanted.copies_of(topic) for topic in present}
    )
    plan = Plan({}, [])
    for topic, parts in spreaded.items():
        for index, replicas in enumerate(parts):
            partition, target = (topic, index), tuple(replicas)
            if partition in found.moving or target != found.partitions[partition].holders:
                plan.targets[partition] = target
    plan.foreign = foreign(plan.targets, found)
    return plan


def foreign(targets: Mapping[Partition, tuple[int, ...]], found: Found) -> list[str]:
    """Return a line for each partition that is being moved to elsewhere."""
    return [
        f"partition {name(p)}: found a move to {ids(move.target)} that somebody else began, "
        f"expected {ids(targets.get(p, found.partitions[p].holders))}: wait for its end, or cancel "
        "it with kafka-reassign-partitions.sh"
        for p, move in sorted(found.moving.items())
        if targets.get(p) != move.target
    ]


def still_to_move(targets: Mapping[Partition, tuple[int, ...]], found: Found) -> list[Partition]:
    """Return the partitions that are not where they shall be; a deleted one is nowhere."""
    return [
        p
        for p, target in sorted(targets.items())
        if p in found.partitions and (p in found.moving or found.partitions[p].holders != target)
    ]


def missing(
    targets: Mapping[Partition, tuple[int, ...]], left: Iterable[Partition], found: Found
) -> str:
    """Return which of the partitions are still to come to whom: topic-0 to 2,3."""
    texts = []
    for partition in left:
        to = [b for b in targets[partition] if b not in found.partitions[partition].in_sync]
        texts.append(f"{name(partition)} to {ids(to)}" if to else name(partition))
    return listed(texts)


def throttled(
    targets: Mapping[Partition, tuple[int, ...]], found: Found
) -> dict[str, dict[str, str]]:
    """Return topic -> settings that throttle the moves: whom it is read from, who is added."""
    sources: dict[str, list[str]] = {}
    takers: dict[str, list[str]] = {}
    for (topic, index), target in sorted(targets.items()):
        move = found.moving.get((topic, index))
        holders = found.original((topic, index))
        adding = sorted(move.adding if move else set(target) - set(holders))
        if adding:
            sources.setdefault(topic, []).extend(f"{index}:{b}" for b in sorted(holders))
            takers.setdefault(topic, []).extend(f"{index}:{b}" for b in adding)
    return {
        topic: {
            "leader.replication.throttled.replicas": ",".join(sources[topic]),
            "follower.replication.throttled.replicas": ",".join(takers[topic]),
        }
        for topic in takers
    }


def diff(plan: Plan, wanted: Wanted, found: Found) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return before and after of what changes: replicas, leaders, settings."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    if plan.targets:
        moved = sorted(plan.targets.items())
        before["replicas"] = {name(p): ids(found.original(p)) for p, _ in moved}
        after["replicas"] = {name(p): ids(target) for p, target in moved}
    away = [p for p in found.not_led_by_first() if p not in plan.targets]
    if away:
        before["leaders"] = {name(p): found.partitions[p].leader for p in away}
        after["leaders"] = {name(p): found.partitions[p].holders[0] for p in away}
    if wanted.min_insync and found.min_insync != {wanted.min_insync}:
        before[MIN_INSYNC] = ids(sorted(found.min_insync))
        after[MIN_INSYNC] = str(wanted.min_insync)
    for kind, left in (("topics", found.throttled_topics), ("brokers", found.throttled_brokers)):
        if left:
            before[f"throttled {kind}"], after[f"throttled {kind}"] = ",".join(map(str, left)), ""
    return before, after
