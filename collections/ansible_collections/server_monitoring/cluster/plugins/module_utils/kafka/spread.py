"""Which brokers shall hold the replicas of each partition: plain values in, plain values out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

# Of each topic the replicas of each partition, as ids of brokers; the first leads if it can.
Assignment = dict[str, list[list[int]]]
Partition = tuple[str, int]


def spread(
    present: Mapping[str, Sequence[Sequence[int]]],
    brokers: Mapping[int, str],
    copies: Mapping[str, int],
) -> Assignment:
    """Return where the replicas shall be: even over the brokers, with as few moves as need be.

    Each partition has its copies on that many brokers, in as many racks as there are. The numbers
    of replicas of any two brokers differ by at most one where racks allow it, and so do those of
    preferred leaders where the replicas allow it. A spread that is so already is left as it is, and
    what this returns is; the same input has the same answer.

    Args:
        present: topic -> the replicas of each of its partitions.
        brokers: id -> rack; one without a rack ("") is a rack of its own. No other broker holds a
            replica afterwards.
        copies: topic -> copies of each partition, at least 1 and at most as many as brokers.

    """
    return _Layout(present, brokers, copies).settled()


class _Edge(NamedTuple):
    """A step that makes one broker's number smaller by one, and another's larger."""

    giver: int
    taker: int
    partition: Partition


class _Layout:
    """Replicas while they are put in order."""

    def __init__(
        self,
        present: Mapping[str, Sequence[Sequence[int]]],
        brokers: Mapping[int, str],
        copies: Mapping[str, int],
    ) -> None:
        """Take what is there; what no broker of `brokers` holds is left out."""
        self._racks: dict[int, str | int] = {b: rack or b for b, rack in sorted(brokers.items())}
        self._copies = copies
        self._before: dict[Partition, list[int]] = {}
        self._now: dict[Partition, list[int]] = {}
        # Partitions that each broker holds, and leads; and of each topic, how many.
        self._held: dict[int, set[Partition]] = {broker: set() for broker in self._racks}
        self._led: dict[int, set[Partition]] = {broker: set() for broker in self._racks}
        self._of_topic: Counter[tuple[str, int]] = Counter()
        self._led_of_topic: Counter[tuple[str, int]] = Counter()
        for topic, parts in sorted(present.items()):
            for index, replicas in enumerate(parts):
                partition = topic, index
                self._before[partition] = list(replicas)
                self._now[partition] = []
                for broker in dict.fromkeys(replicas):
                    if broker in self._racks:
                        self._add(partition, broker)

    def settled(self) -> Assignment:
        """Return the replicas when all is right."""
        for partition in self._now:
            self._repair(partition)
        # What is free first, though the way is longer: copies that are to be fetched anyhow.
        _even_out(self._held, self._copy_to_place, self._move)
        _even_out(self._held, self._replica_to_move, self._move)
        for partition, replicas in self._now.items():
            self._led[replicas[0]].add(partition)
            self._led_of_topic[partition[0], replicas[0]] += 1
        _even_out(self._led, self._leader_to_change, self._lead)
        found: Assignment = {}
        for (topic, _), replicas in self._now.items():
            found.setdefault(topic, []).append(replicas)
        return found

    def _add(self, partition: Partition, broker: int, place: int | None = None) -> None:
        replicas = self._now[partition]
        replicas.insert(len(replicas) if place is None else place, broker)
        self._held[broker].add(partition)
        self._of_topic[partition[0], broker] += 1

    def _drop(self, partition: Partition, broker: int) -> int:
        """Take a replica away, and return the place that it had."""
        place = self._now[partition].index(broker)
        del self._now[partition][place]
        self._held[broker].remove(partition)
        self._of_topic[partition[0], broker] -= 1
        return place

    def _repair(self, partition: Partition) -> None:
        """Give a partition its copies, in as many racks as it can be in."""
        replicas, wanted = self._now[partition], self._copies[partition[0]]
        while len(replicas) > wanted:
            self._drop(partition, self._spare(partition))
        while len(replicas) < wanted:
            self._add(partition, self._newcomer(partition))
        while len(self._racks_of(replicas)) < self._width(partition):
            # The newcomer first: it must know all racks that are taken.
            newcomer = self._newcomer(partition)
            self._add(partition, newcomer, self._drop(partition, self._spare(partition)))

    def _racks_of(self, replicas: Iterable[int]) -> set[str | int]:
        return {self._racks[broker] for broker in replicas}

    def _width(self, partition: Partition) -> int:
        """Return in how many racks a partition's copies are."""
        return min(self._copies[partition[0]], len(set(self._racks.values())))

    def _spare(self, partition: Partition) -> int:
        """Return who shall give its copy away: one of several in a rack, with much, no leader."""
        replicas = self._now[partition]
        of_rack = Counter(self._racks[broker] for broker in replicas)
        return max(
            replicas,
            key=lambda broker: (
                of_rack[self._racks[broker]] > 1,
                broker != replicas[0],
                *self._load(partition, broker),
            ),
        )

    def _newcomer(self, partition: Partition) -> int:
        """Return who shall have one more copy: in a new rack, as long as there are such."""
        replicas = self._now[partition]
        taken = self._racks_of(replicas)
        free = [broker for broker in self._racks if broker not in replicas]
        if len(taken) < self._width(partition):
            free = [broker for broker in free if self._racks[broker] not in taken]
        return min(free, key=lambda broker: self._load(partition, broker))

    def _load(self, partition: Partition, broker: int) -> tuple[int, int, int]:
        return len(self._held[broker]), self._of_topic[partition[0], broker], broker

    def _copy_to_place(self, giver: int, taker: int, used: set[Partition]) -> Partition | None:
        """Return the partition whose replica goes best elsewhere, of those that costs nothing."""
        found = self._replica_to_move(giver, taker, used)
        return None if found is None or self._fetched(found, giver, taker) > 0 else found

    def _replica_to_move(self, giver: int, taker: int, used: set[Partition]) -> Partition | None:
        """Return the partition whose replica goes best from one broker to another, if one can."""

        def is_free(partition: Partition) -> bool:
            replicas = self._now[partition]
            if taker in replicas or partition in used:
                return False
            rest = [taker, *(broker for broker in replicas if broker != giver)]
            return len(self._racks_of(rest)) >= self._width(partition)

        def price(partition: Partition) -> tuple[int, int, bool, Partition]:
            topic = partition[0]
            skew = self._of_topic[topic, giver] - self._of_topic[topic, taker]
            leads = self._now[partition][0] == giver
            return self._fetched(partition, giver, taker), -skew, leads, partition

        return min(filter(is_free, self._held[giver]), key=price, default=None)

    def _fetched(self, partition: Partition, giver: int, taker: int) -> int:
        """Return how many more copies must be fetched (or -1) if one is moved."""
        before = self._before[partition]
        return (taker not in before) - (giver not in before)

    def _move(self, edge: _Edge) -> None:
        self._add(edge.partition, edge.taker, self._drop(edge.partition, edge.giver))

    def _leader_to_change(self, giver: int, taker: int, used: set[Partition]) -> Partition | None:
        """Return the partition whose leader is best another one of its replicas, if one is."""

        def price(partition: Partition) -> tuple[int, int, Partition]:
            topic, before = partition[0], self._before[partition]
            changed = (before[:1] != [taker]) - (before[:1] != [giver])
            skew = self._led_of_topic[topic, giver] - self._led_of_topic[topic, taker]
            return -skew, changed, partition

        free = (p for p in self._led[giver] if taker in self._now[p] and p not in used)
        return min(free, key=price, default=None)

    def _lead(self, edge: _Edge) -> None:
        replicas = self._now[edge.partition]
        place = replicas.index(edge.taker)
        replicas[0], replicas[place] = edge.taker, edge.giver
        self._led[edge.giver].remove(edge.partition)
        self._led[edge.taker].add(edge.partition)
        self._led_of_topic[edge.partition[0], edge.giver] -= 1
        self._led_of_topic[edge.partition[0], edge.taker] += 1


def _even_out(
    owned: Mapping[int, set[Partition]],
    choose: Callable[[int, int, set[Partition]], Partition | None],
    apply: Callable[[_Edge], None],
) -> None:
    """Pass partitions on from who has most to who has least, over others where need be.

    Each way makes two numbers that differ by two or more differ by less, so it has an end; where it
    ends, no way is left.
    """
    while way := _way(owned, choose):
        for edge in way:
            apply(edge)


def _way(
    owned: Mapping[int, set[Partition]],
    choose: Callable[[int, int, set[Partition]], Partition | None],
) -> list[_Edge]:
    """Return the shortest way from a broker with many to one with two less at least, if any."""
    for start in sorted(owned, key=lambda broker: (-len(owned[broker]), broker)):
        ways: dict[int, list[_Edge]] = {start: []}
        ends = [start]
        while ends:
            found = []
            for end in ends:
                used = {edge.partition for edge in ways[end]}
                for taker in sorted(owned):
                    if taker in ways:
                        continue
                    partition = choose(end, taker, used)
                    if partition is not None:
                        ways[taker] = [*ways[end], _Edge(end, taker, partition)]
                        found.append(taker)
            best = min(found, key=lambda broker: (len(owned[broker]), broker), default=None)
            if best is not None and len(owned[best]) <= len(owned[start]) - 2:
                return ways[best]
            ends = found
    return []
