"""What is moved, refused and shown, without a broker."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.server_monitoring.cluster.plugins.module_utils.kafka import (
    spread_plan,
    spread_wanted,
)

THREE = {1: "", 2: "", 3: ""}
ALL = frozenset(THREE)
Held = dict[tuple[str, int], tuple[int, ...]]


def wanted(**changes: Any) -> Any:
    """Return a sound declaration with some parts changed: two copies on three brokers."""
    sound: dict[str, Any] = {
        "brokers": THREE,
        "leaving": frozenset(),
        "copies": 2,
        "topics": {},
        "min_insync": None,
    }
    return spread_wanted.Wanted(**sound | changes)


def found(held: Held, **rest: Any) -> Any:
    """Return a cluster of three brokers, all in sync and led by their first replicas."""
    leaders = rest.pop("leaders", {})
    partitions = {p: spread_plan.Replicas(r, r, leaders.get(p, r[0])) for p, r in held.items()}
    known = {"known": ALL, "up": ALL, "min_insync": frozenset({1})}
    return spread_plan.Found(partitions, **known | rest)


EVEN: Held = {("t", 0): (1, 2), ("t", 1): (2, 3), ("t", 2): (3, 1)}
# The first of them on its way from broker 1 to 3 and 2; while it is, all of them are holders.
GOING: Held = {**EVEN, ("t", 0): (3, 2, 1)}
MOVE = spread_plan.Move((3, 2), (2, 3))


@pytest.mark.parametrize(
    "value", [{1: "a", "2": None}, [{"id": 1, "rack": "a"}, {"id": "2"}]], ids=["map", "list"]
)
def test_brokers_are_a_map_or_a_list(value: object) -> None:
    """An id may be text, as JSON has it in a map; a rack may be missing."""
    assert spread_wanted.read_brokers(value) == {1: "a", 2: ""}


@pytest.mark.parametrize(
    "value", [{}, [], None, "1", {"one": ""}, [1], [{"rack": "a"}], {1: 2}, [{"id": None}]]
)
def test_brokers_of_another_shape_are_refused(value: object) -> None:
    """In one line that shows what was found."""
    with pytest.raises(ValueError, match=r"^brokers: found .*, expected a map of id to rack"):
        spread_wanted.read_brokers(value)


def test_a_broker_is_named_once() -> None:
    """With two racks nobody could tell in which it is."""
    with pytest.raises(ValueError, match="brokers: found 1 twice"):
        spread_wanted.read_brokers([{"id": 1, "rack": "a"}, {"id": "1", "rack": "b"}])


@pytest.mark.parametrize("copies", [True, None, "x", 1.5, -1])
def test_copies_of_a_topic_are_a_number(copies: object) -> None:
    """From YAML it may be text."""
    assert spread_wanted.read_topics({"t": "2", "u": 1}) == {"t": 2, "u": 1}
    with pytest.raises(ValueError, match=r"^topics: t: found .*, expected a number of copies"):
        spread_wanted.read_topics({"t": copies})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, None),
        ({"copies": 4}, "replication_factor: found 4 copies, expected 1 to 3"),
        ({"copies": 0}, "replication_factor: found 0 copies, expected 1 to 3"),
        ({"topics": {"t": 4}}, "topics: t: found 4 copies, expected 1 to 3"),
        ({"leaving": frozenset({2})}, "leaving: found 2 in brokers too"),
        ({"min_insync": 3}, "min_insync_replicas: found 3, expected 1 to 2, the copies"),
        ({"min_insync": 0}, "min_insync_replicas: found 0, expected 1 to 2, the copies"),
        ({"min_insync": 2}, None),
    ],
)
def test_a_declaration_is_judged_without_a_cluster(
    changes: dict[str, Any], said: str | None
) -> None:
    """Each problem names the option and what was found."""
    problems = spread_wanted.declaration_problems(wanted(**changes))
    assert [problem.startswith(str(said)) for problem in problems] == [True] * bool(said)


@pytest.mark.parametrize(
    ("changes", "cluster", "said"),
    [
        ({}, {}, None),
        ({"brokers": {**THREE, 7: ""}}, {}, "brokers: found 7, which is not in the cluster"),
        ({}, {"up": frozenset({1, 2})}, "broker 3: found that the controller does not hear it"),
        (
            {"brokers": {1: "", 2: ""}, "leaving": frozenset({3})},
            {"up": frozenset({1, 2})},
            None,
        ),
        ({"brokers": {1: "", 2: ""}}, {}, "broker 3: found replicas on it, expected it in brokers"),
        ({}, {"leaders": {("t", 1): -1}}, "partition t-1: found no leader, as broker 2,3 is away"),
        ({"topics": {"t": 1}, "min_insync": 2}, {}, "topic t: found min.insync.replicas 2, exp"),
        ({"topics": {"t": 1}}, {"min_insync": frozenset({1, 2})}, "topic t: found min.insync.repl"),
        ({"topics": {"t": 1}, "min_insync": 2}, {"own_min_insync": {"t": 1}}, None),
        ({}, {"own_min_insync": {"t": 3}}, "topic t: found min.insync.replicas 3, expected at m"),
    ],
)
def test_what_the_cluster_does_not_allow_is_told(
    changes: dict[str, Any], cluster: dict[str, Any], said: str | None
) -> None:
    """Before anything is begun; a broker that leaves may be down."""
    problems = spread_plan.problems(wanted(**changes), found(EVEN, **cluster))
    assert [problem.startswith(str(said)) for problem in problems] == [True] * bool(said)


def test_what_lies_right_is_not_in_the_plan() -> None:
    """And nothing is shown."""
    plan = spread_plan.make_plan(wanted(), found(EVEN))
    assert (plan.targets, plan.foreign) == ({}, [])
    assert spread_plan.diff(plan, wanted(), found(EVEN)) == ({}, {})


def test_before_and_after_show_what_changes_alone() -> None:
    """Replicas by partition, leaders where nothing is moved, and settings; each in one text."""
    cluster = found(
        {**EVEN, ("t", 0): (1,)},
        leaders={("t", 1): 3},
        throttled_topics=["t"],
        throttled_brokers=[1, 2],
    )
    plan = spread_plan.make_plan(wanted(), cluster)
    assert plan.targets == {("t", 0): (1, 2)}
    assert spread_plan.diff(plan, wanted(min_insync=2), cluster) == (
        {
            "replicas": {"t-0": "1"},
            "leaders": {"t-1": 3},
            "min.insync.replicas": "1",
            "throttled topics": "t",
            "throttled brokers": "1,2",
        },
        {
            "replicas": {"t-0": "1,2"},
            "leaders": {"t-1": 2},
            "min.insync.replicas": "2",
            "throttled topics": "",
            "throttled brokers": "",
        },
    )


def test_a_move_under_way_to_the_same_place_is_gone_on_with() -> None:
    """Its target is what counts, not who holds it meanwhile."""
    move = spread_plan.Move((1, 3), (3,))
    plan = spread_plan.make_plan(wanted(), found({("t", 0): (1, 3, 2)}, moving={("t", 0): move}))
    assert (plan.targets, plan.foreign) == ({("t", 0): (1, 3)}, [])


def test_a_move_to_elsewhere_is_named() -> None:
    """With where it goes, and where the partition shall be."""
    cluster = found(GOING, moving={("t", 0): spread_plan.Move((3,), (3,))})
    (said,) = spread_plan.make_plan(wanted(), cluster).foreign
    began = "partition t-0: found a move to 3 that somebody else began, "
    assert said.startswith(f"{began}expected 1,2:")
    # Also one that came while others were waited for.
    (said,) = spread_plan.foreign({("t", 1): (2, 3)}, cluster)
    assert said.startswith(f"{began}expected 3,2,1:")


def test_what_is_left_is_what_moves_or_is_not_there() -> None:
    """One whose move is over counts as there when its replicas are known; a deleted one at once."""
    targets = {("t", 0): (3, 2), ("t", 1): (2, 3), ("t", 2): (1, 3), ("gone", 0): (1,)}
    cluster = found(GOING, moving={("t", 0): MOVE})
    left = spread_plan.still_to_move(targets, cluster)
    assert left == [("t", 0), ("t", 2)]
    assert spread_plan.missing(targets, left, cluster) == "t-0, t-2"
    assert spread_plan.missing({("t", 1): (2, 1)}, [("t", 1)], cluster) == "t-1 to 1"


def test_of_many_partitions_some_are_named() -> None:
    """So that a line stays one."""
    assert spread_plan.names(("t", n) for n in range(5)) == "t-0, t-1, t-2, t-3, t-4"
    assert spread_plan.names(("t", n) for n in range(7)).endswith("t-4 and 2 more")


def test_throttles_name_who_is_read_from_and_who_is_added() -> None:
    """Of each moved partition; what is there already is not throttled by its own move."""
    cluster = found({**GOING, ("u", 0): (1, 2)}, moving={("t", 0): MOVE})
    targets = {("t", 0): (3, 2), ("t", 1): (2, 1), ("u", 0): (2, 1)}
    assert spread_plan.throttled(targets, cluster) == {
        "t": {
            "leader.replication.throttled.replicas": "0:1,1:2,1:3",
            "follower.replication.throttled.replicas": "0:2,0:3,1:1",
        }
    }


def test_too_few_in_sync_are_those_that_nobody_could_write_to() -> None:
    """Counting what a topic has of its own, and no more than there are copies."""
    cluster = found(EVEN | {("u", 0): (1,), ("v", 0): (1, 2)}, own_min_insync={"v": 1})
    assert cluster.short_of(2) == []
    cluster.partitions["t", 1] = spread_plan.Replicas((2, 3), (2,), 2)
    cluster.partitions["v", 0] = spread_plan.Replicas((1, 2), (1,), 1)
    assert cluster.short_of(2) == [("t", 1)]
