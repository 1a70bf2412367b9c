"""Where replicas shall be, over many shapes of clusters: each promise of `spread` by itself."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pytest
from ansible_collections.server_monitoring.cluster.plugins.module_utils.kafka.spread import spread

if TYPE_CHECKING:
    from collections.abc import Iterable

Assignment = dict[str, list[list[int]]]
SEEDS = range(200)
# As the product has them, with Kafka's own.
TOPICS = {"cpu": 3, "mem": 3, "net": 3, "disk": 3, "__consumer_offsets": 50}


@dataclass
class Shape:
    """A cluster before a change, and what is wanted of it."""

    present: Assignment
    brokers: dict[int, str]
    copies: dict[str, int]

    @cached_property
    def after(self) -> Assignment:
        """Return what becomes of it."""
        found: Assignment = spread(self.present, self.brokers, self.copies)
        return found


def shape(seed: int, *, racks: int = 0, uniform: bool = False) -> Shape:
    """Return a shape of 1 to 7 brokers, whose replicas lie anywhere, on others too."""
    chance = random.Random(seed)
    ids = chance.sample(range(1, 12), chance.randint(1, 7))
    brokers = {b: f"r{chance.randrange(racks)}" if racks else "" for b in ids}
    before = chance.sample(range(1, 12), chance.randint(1, 7))
    present = {
        f"t{topic}": [
            chance.sample(before, chance.randint(1, min(3, len(before))))
            for _ in range(chance.randint(1, 9))
        ]
        for topic in range(chance.randint(1, 5))
    }
    most = min(3, len(ids))
    one = chance.randint(1, most)
    return Shape(
        present, brokers, {t: one if uniform else chance.randint(1, most) for t in present}
    )


def even(topics: dict[str, int], brokers: int, copies: int) -> Assignment:
    """Return a spread over brokers 1 to n, begun on the first one alone."""
    alone = {topic: [[1]] * count for topic, count in topics.items()}
    return Shape(alone, plain(brokers), dict.fromkeys(topics, copies)).after


def plain(brokers: int) -> dict[int, str]:
    """Return brokers 1 to n without racks."""
    return dict.fromkeys(range(1, brokers + 1), "")


def partitions(assignment: Assignment) -> Iterable[tuple[str, list[int]]]:
    """Yield topic and replicas of each partition."""
    return ((topic, replicas) for topic, parts in assignment.items() for replicas in parts)


def numbers(assignment: Assignment, brokers: Iterable[int], first: int | None = None) -> list[int]:
    """Return how many replicas each broker has; with `first=1`, how many it leads."""
    count = Counter(b for _, replicas in partitions(assignment) for b in replicas[:first])
    return [count[broker] for broker in brokers]


def fetched(before: Assignment, after: Assignment) -> int:
    """Return the number of replicas that must be copied to where they were not."""
    pairs = zip(partitions(before), partitions(after), strict=True)
    return sum(len(set(new) - set(old)) for (_, old), (_, new) in pairs)


@pytest.mark.parametrize("racks", [0, 1, 2, 3])
def test_each_partition_has_its_copies_on_as_many_brokers_and_racks(racks: int) -> None:
    """None on a broker that is not to hold any, and none in a rack that another could be out of."""
    for seed in SEEDS:
        found = shape(seed, racks=racks)
        rack = {broker: name or broker for broker, name in found.brokers.items()}
        for topic, replicas in partitions(found.after):
            copies = found.copies[topic]
            assert len(replicas) == len(set(replicas)) == copies, seed
            assert set(replicas) <= set(found.brokers), seed
            width = min(copies, len(set(rack.values())))
            assert len({rack[b] for b in replicas}) == width, seed


def test_brokers_differ_by_one_replica_at_most() -> None:
    """Over all topics together, whatever numbers of copies these have."""
    for seed in SEEDS:
        found = shape(seed)
        count = numbers(found.after, found.brokers)
        assert max(count) - min(count) <= 1, (seed, count)


def test_brokers_differ_by_one_leader_at_most() -> None:
    """Where all topics have one number of copies, which always allows it."""
    for seed in SEEDS:
        found = shape(seed, uniform=True)
        count = numbers(found.after, found.brokers, first=1)
        assert max(count) - min(count) <= 1, (seed, count)


@pytest.mark.parametrize("racks", [0, 2])
def test_leaders_are_as_even_as_replicas_allow(racks: int) -> None:
    """No chain of partitions leads from a leader of many to one of two less: none could help."""
    for seed in SEEDS:
        found = shape(seed, racks=racks)
        after = found.after
        led = dict(zip(found.brokers, numbers(after, found.brokers, first=1), strict=True))
        for start, most in led.items():
            reached = {start}
            while more := {
                b
                for _, replicas in partitions(after)
                if replicas[0] in reached
                for b in replicas
                if b not in reached
            }:
                reached |= more
            assert min(led[b] for b in reached) >= most - 1, (seed, led)


@pytest.mark.parametrize("racks", [2, 3])
def test_racks_of_equal_size_are_even_too(racks: int) -> None:
    """With as many copies as racks a broker's share is that of its rack."""
    for seed in SEEDS[:100]:
        chance = random.Random(seed)
        brokers = {b: f"r{b % racks}" for b in range(1, racks * chance.randint(1, 2) + 1)}
        present = {"t": [[chance.choice([*brokers])] for _ in range(chance.randint(1, 30))]}
        after = Shape(present, brokers, {"t": racks}).after
        count = numbers(after, brokers)
        assert max(count) - min(count) <= 1, (seed, count)


@pytest.mark.parametrize("racks", [0, 1, 2, 3])
def test_a_spread_that_was_made_stays(racks: int) -> None:
    """The second time nothing changes; and the same question has the same answer."""
    for seed in SEEDS:
        found = shape(seed, racks=racks)
        once = found.after
        assert Shape(once, found.brokers, found.copies).after == once, seed
        assert shape(seed, racks=racks).after == once, seed


def test_an_even_spread_is_left_alone_however_it_came_about() -> None:
    """With other brokers in the places of those that it was made for."""
    for seed in SEEDS:
        found = shape(seed)
        other = dict(zip(found.brokers, reversed(found.brokers), strict=True))
        swapped = {t: [[other[b] for b in r] for r in parts] for t, parts in found.after.items()}
        led = numbers(swapped, found.brokers, first=1)
        if max(led) - min(led) <= 1:
            assert Shape(swapped, found.brokers, found.copies).after == swapped, seed


def test_what_was_given_is_not_changed() -> None:
    """The caller still needs it, to tell before from after."""
    present = {"t": [[9, 1, 2], [1]]}
    assert spread(present, plain(3), {"t": 2}) != present
    assert present == {"t": [[9, 1, 2], [1]]}


@pytest.mark.parametrize(("brokers", "copies"), [(3, 3), (5, 3), (2, 2), (3, 1), (7, 3)])
def test_one_broker_grows_to_several(brokers: int, copies: int) -> None:
    """Every topic is led by all of three brokers, and not more is copied than is missing."""
    before = {topic: [[1]] * count for topic, count in TOPICS.items()}
    after = Shape(before, plain(brokers), dict.fromkeys(TOPICS, copies)).after
    total = sum(TOPICS.values())
    share = total * copies // brokers
    # Besides the new copies: what the first broker holds above its share.
    assert fetched(before, after) <= total * (copies - 1) + max(0, total - share)
    if brokers == 3:
        assert {len({r[0] for r in parts}) for parts in after.values()} == {3}


@pytest.mark.parametrize("copies", [1, 2, 3])
def test_new_brokers_get_their_share_and_nobody_else_anything(copies: int) -> None:
    """From three to five: what is copied is just what the two new ones hold."""
    before = even(TOPICS, 3, copies)
    after = Shape(before, plain(5), dict.fromkeys(TOPICS, copies)).after
    count = numbers(after, range(1, 6))
    assert max(count) - min(count) <= 1
    assert fetched(before, after) == count[3] + count[4]


@pytest.mark.parametrize("copies", [1, 2, 3])
def test_of_a_leaving_broker_alone_replicas_are_copied(copies: int) -> None:
    """From five to four: one for each that it held; more only for whom these cannot go to."""
    before = even(TOPICS, 5, copies)
    stay = {1: "", 2: "", 4: "", 5: ""}
    after = Shape(before, stay, dict.fromkeys(TOPICS, copies)).after
    held = [replicas for _, replicas in partitions(before) if 3 in replicas]
    share = min(numbers(after, stay))
    had = dict(zip(stay, numbers(before, stay), strict=True))
    cannot = [share - had[b] - sum(b not in replicas for replicas in held) for b in stay]
    assert len(held) <= fetched(before, after) <= len(held) + sum(max(0, n) for n in cannot)


def test_raised_copies_go_where_none_is() -> None:
    """From two to three copies on five brokers: one new copy each, and none besides."""
    before = even(TOPICS, 5, 2)
    after = Shape(before, plain(5), dict.fromkeys(TOPICS, 3)).after
    assert fetched(before, after) == sum(TOPICS.values())


@pytest.mark.parametrize("brokers", [3, 5])
def test_lowered_copies_are_given_up_and_none_is_made(brokers: int) -> None:
    """From three to one copy, evenly, without copying anything."""
    before = even(TOPICS, brokers, 3)
    after = Shape(before, plain(brokers), dict.fromkeys(TOPICS, 1)).after
    count = numbers(after, plain(brokers))
    assert (fetched(before, after), max(count) - min(count)) == (0, 1)


def test_a_broker_alone_takes_all_and_leads_all() -> None:
    """The smallest shape changes nothing."""
    before = {topic: [[1]] * count for topic, count in TOPICS.items()}
    assert Shape(before, plain(1), dict.fromkeys(TOPICS, 1)).after == before
