"""Whether a cluster stands, and would without a broker: decisions, without a broker."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.server_monitoring.cluster.plugins.module_utils.kafka import (
    cluster_state,
    health,
)

HOSTS = {"kafka-1": 1, "kafka-2": 2, "kafka-3": 3}
EXPECTED = health.Expected(HOSTS, tuple(HOSTS))
ALONE = health.Expected({"kafka-1": 1}, ("kafka-1",))


def partition(**changes: Any) -> Any:
    """Return a partition of three replicas, all in sync, of which two are needed."""
    whole: dict[str, Any] = {"topic": "topic-cpu", "number": 0, "leader": 1, "least": 2}
    whole |= {"replicas": (1, 2, 3), "in_sync": (3, 1, 2)}
    return cluster_state.Partition(**(whole | changes))


def quorum(**changes: Any) -> Any:
    """Return three voters that have all of the log."""
    whole: dict[str, Any] = {"leader": 2, "high_watermark": 100, "voters": {1: 100, 2: 101, 3: 99}}
    return cluster_state.Quorum(**(whole | changes))


def state(**changes: Any) -> Any:
    """Return a cluster that stands, with some of it changed."""
    brokers = {n: cluster_state.Broker(f"10.0.0.{n}:9094", fenced=False) for n in (1, 2, 3)}
    whole = {"brokers": brokers, "partitions": (partition(),), "quorum": quorum(), "moving": ()}
    return cluster_state.State(**(whole | changes))


def alone(**changes: Any) -> Any:
    """Return a cluster of one broker, which stands."""
    whole = partition(replicas=(1,), in_sync=(1,), least=1)
    one = quorum(leader=1, voters={1: 100})
    brokers = {1: cluster_state.Broker("10.0.0.1:9094", fenced=False)}
    return replace(state(brokers=brokers, partitions=(whole,), quorum=one), **changes)


def fenced(*nodes: int) -> dict[int, Any]:
    """Return three brokers, of which some are fenced."""
    return {n: cluster_state.Broker(f"10.0.0.{n}:9094", fenced=n in nodes) for n in (1, 2, 3)}


def test_a_whole_cluster_has_no_problem() -> None:
    """In what order the replicas are told does not matter, and nobody is one of many missed."""
    assert health.problems(state(), EXPECTED) == []
    assert health.problems(state(), EXPECTED, "10.0.0.3:9094") == []
    assert health.problems(alone(), ALONE) == []
    for host in HOSTS:
        assert health.problems_without(state(), EXPECTED, host, allow_single=False) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"brokers": fenced(3)}, "broker kafka-3 (node 3): found it fenced, expected it to take"),
        (
            {"brokers": {1: fenced()[1], 2: fenced()[2]}},
            "broker kafka-3 (node 3): found no such broker in the cluster",
        ),
        (
            {"partitions": (partition(leader=-1),)},
            "partition topic-cpu-0: found no leader, expected one of kafka-1, kafka-2, kafka-3",
        ),
        (
            {"partitions": (partition(), partition(number=7, in_sync=(2, 1)))},
            "partition topic-cpu-7: found kafka-1, kafka-2 in sync, expected kafka-1, kafka-2, kaf",
        ),
        (
            {"partitions": (partition(replicas=(1, 7), in_sync=(1,)),)},
            "partition topic-cpu-0: found kafka-1 in sync, expected kafka-1, node 7",
        ),
        ({"quorum": quorum(leader=-1)}, "controllers: found no active one, expected it: most of"),
        (
            {"quorum": None, "moving": None, "silence": "RequestTimedOut"},
            "controllers: found no active one (RequestTimedOut), expected it: most of kafka-1, kaf",
        ),
        ({"moving": None}, "controllers: found no active one"),
        (
            {"quorum": quorum(voters={1: 100, 2: 100})},
            "controllers: found the voters kafka-1, kafka-2, expected kafka-1, kafka-2, kafka-3",
        ),
        (
            {"quorum": quorum(voters={1: 100, 2: 100, 3: 100, 7: 100})},
            "controllers: found the voters kafka-1, kafka-2, kafka-3, node 7, expected",
        ),
        (
            {"quorum": quorum(voters={1: 100, 2: 100, 3: 89})},
            "controller kafka-3: found its log at 89, expected at most 10 records before 100",
        ),
        (
            {"quorum": quorum(high_watermark=5, voters={1: 5, 2: 5, 3: -1})},
            "controller kafka-3: found its log at nothing, expected",
        ),
        ({"moving": ("a-0", "a-1")}, "partitions: found 2 being moved (a-0, a-1), expected none"),
        ({"troubles": {"a": "InvalidTopicError"}}, "topic a: found InvalidTopicError, expected"),
    ],
)
def test_each_condition_is_told_alone(changes: dict[str, Any], said: str) -> None:
    """One line, with what was found and what was expected."""
    found = health.problems(state(**changes), EXPECTED)
    assert len(found) == 1
    assert found[0].startswith(said)
    assert health.summary(found) == found[0]


def test_a_voter_may_be_as_far_behind_as_one_that_lives() -> None:
    """By ten records, also while the log is shorter than that."""
    assert health.problems(state(quorum=quorum(voters={1: 100, 2: 100, 3: 90})), EXPECTED) == []
    young = quorum(high_watermark=5, voters={1: 5, 2: 5, 3: 0})
    assert health.problems(state(quorum=young), EXPECTED) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"brokers": fenced(3)}, "broker 10.0.0.3:9094: found it fenced"),
        ({"brokers": {1: fenced()[1]}}, "broker 10.0.0.3:9094: found only 10.0.0.1:9094, expected"),
    ],
)
def test_the_broker_that_was_asked_itself_must_take_part(
    changes: dict[str, Any], said: str
) -> None:
    """In addition to what is expected of all."""
    found = health.problems(state(**changes), EXPECTED, "10.0.0.3:9094")
    assert any(line.startswith(said) for line in found)
    assert found != health.problems(state(**changes), EXPECTED)


def test_other_brokers_are_told_and_no_problem() -> None:
    """Whether fenced or not; only expected ones are named as fenced."""
    brokers = fenced(3) | {7: fenced()[1], 8: cluster_state.Broker("10.0.0.8:9094", fenced=True)}
    found = health.facts(state(brokers=brokers), EXPECTED)
    assert (found["unknown"], found["fenced"]) == ([7, 8], ["kafka-3"])
    assert len(health.problems(state(brokers=brokers), EXPECTED)) == 1


def test_ten_partitions_are_named_and_the_rest_is_counted() -> None:
    """Those without a leader first: nobody can use them."""
    behind = tuple(partition(number=n, in_sync=(1, 2)) for n in range(30))
    found = health.problems(state(partitions=(*behind, partition(topic="z", leader=-1))), EXPECTED)
    assert len(found) == 11
    assert found[0].startswith("partition z-0: found no leader")
    assert found[-1] == "partitions: 21 more like these"
    assert health.summary(found) == f"{found[0]} (and 10 more)"
    exactly = health.problems(state(partitions=behind[:10]), EXPECTED)
    assert len(exactly) == 10


@pytest.mark.parametrize(
    ("changes", "host", "said"),
    [
        (
            {"in_sync": (1, 2)},
            "kafka-2",
            "partition topic-cpu-0: without kafka-2 found kafka-1 in sync, expected 2 of kafka-1, ",
        ),
        ({"in_sync": (1, 2)}, "kafka-3", ""),
        ({"in_sync": (1, 2), "least": 1}, "kafka-2", ""),
        (
            {"in_sync": (2,), "least": 1},
            "kafka-2",
            "without kafka-2 found none in sync, expected 1",
        ),
        (
            {"in_sync": (2,), "least": 0},
            "kafka-2",
            "without kafka-2 found none in sync, expected 1",
        ),
        ({"least": 3}, "kafka-1", "without kafka-1 found kafka-2, kafka-3 in sync, expected 3"),
        ({"least": 9}, "kafka-1", "expected 3 of kafka-1, kafka-2, kafka-3"),
        ({"least": None}, "kafka-1", "expected 3 of kafka-1, kafka-2, kafka-3"),
        ({"replicas": (2, 3), "in_sync": (2, 3), "least": 1}, "kafka-2", ""),
        ({"replicas": (2, 3), "in_sync": (2, 3)}, "kafka-2", "expected 2 of kafka-2, kafka-3"),
        ({"replicas": (2, 3), "in_sync": (2, 3)}, "kafka-1", ""),
        ({"replicas": (2, 3), "in_sync": (2,)}, "kafka-1", ""),
    ],
)
def test_without_a_broker_enough_replicas_must_be_in_sync(
    changes: dict[str, Any], host: str, said: str
) -> None:
    """As many as min.insync.replicas says, of those that there are; what it has not, it loses not.

    What a partition needs is the topic's, and never more than the number of its replicas.
    """
    there = state(partitions=(partition(**changes),))
    found = health.problems_without(there, EXPECTED, host, allow_single=True)
    assert len(found) == bool(said)
    assert said in "".join(found)


def test_one_replica_of_its_own_shape_holds_nothing_up() -> None:
    """It is told with its broker, and with three names at most; unless it shall count."""
    copies = [(2,), (2,), (2,), (3,), (2,)]
    partitions = tuple(partition(number=n, replicas=c, in_sync=c) for n, c in enumerate(copies))
    there = state(partitions=(partition(topic="a"), *partitions))
    assert health.problems_without(there, EXPECTED, "kafka-2", allow_single=True) == []
    first = ["topic-cpu-0", "topic-cpu-1", "topic-cpu-2"]
    without = health.facts(there, EXPECTED, "kafka-2")["single"]
    assert without == {"count": 4, "names": first}
    assert health.facts(there, EXPECTED)["single"] == {"count": 5, "names": first}
    assert health.facts(there, EXPECTED, "kafka-1")["single"] == {"count": 0, "names": []}
    found = health.problems_without(there, EXPECTED, "kafka-2", allow_single=False)
    assert len(found) == 4
    assert found[0].endswith("without kafka-2 found none in sync, expected 1 of kafka-2")


def test_one_broker_may_go_with_everything() -> None:
    """There is no other way to restart it; whoever wants to know is told."""
    assert health.problems_without(alone(), ALONE, "kafka-1", allow_single=True) == []
    found = health.problems_without(alone(), ALONE, "kafka-1", allow_single=False)
    assert [line.split(":")[0] for line in found] == ["partition topic-cpu-0", "controllers"]


@pytest.mark.parametrize(
    ("voters", "host", "said"),
    [
        ({1: 100, 2: 100, 3: 20}, "kafka-2", "found kafka-1 caught up, expected 2 of kafka-1, k"),
        ({1: 100, 2: 100, 3: 20}, "kafka-3", ""),
        ({1: 100, 2: 100}, "kafka-2", "found kafka-1 caught up, expected 2 of kafka-1, kafka-2"),
        ({1: 100, 2: 100}, "kafka-3", ""),
        ({2: 100}, "kafka-2", ""),
        ({2: 100}, "kafka-1", ""),
        ({2: 100, 3: -1}, "kafka-1", ""),
        ({1: 100, 2: 100, 3: -1, 4: 100, 5: -1}, "kafka-1", "expected 3 of kafka-1, kafka-2, "),
        ({1: 100, 2: 100, 3: 100, 4: 100, 5: -1}, "kafka-1", ""),
    ],
)
def test_without_a_controller_a_majority_must_be_left(
    voters: dict[int, int], host: str, said: str
) -> None:
    """Of all that vote, by those that have the log."""
    there = state(quorum=quorum(voters=voters))
    found = health.problems_without(there, EXPECTED, host, allow_single=True)
    assert len(found) == bool(said)
    assert said in "".join(found)


def test_facts_are_hosts_and_numbers() -> None:
    """Whoever has no name in the inventory is told by the id of its node."""
    there = state(
        quorum=quorum(observers=(4, 3)),
        partitions=(partition(), partition(number=1, in_sync=(1,))),
        moving=("a-0",),
    )
    assert health.facts(there, EXPECTED) == {
        "active_controller": "kafka-2",
        "voters": ["kafka-1", "kafka-2", "kafka-3"],
        "observers": ["kafka-3", "node 4"],
        "fenced": [],
        "unknown": [],
        "under_replicated": 1,
        "moving": 1,
        "single": {"count": 0, "names": []},
    }


def test_facts_of_silence_are_empty() -> None:
    """All of them are there, for whoever prints them."""
    assert health.facts(None, EXPECTED).keys() == health.facts(state(), EXPECTED).keys()
    assert not any(v for k, v in health.facts(None, EXPECTED).items() if k != "single")


@pytest.mark.parametrize(
    ("brokers", "controllers", "without", "said"),
    [
        ({}, ["kafka-1"], None, "brokers: found none"),
        ({"kafka-1": "one"}, ["kafka-1"], None, "brokers: kafka-1: found 'one', expected its node"),
        ({"kafka-1": -1}, ["kafka-1"], None, "brokers: kafka-1: found -1, expected its node id"),
        ({"a": 1, "b": "1"}, ["a"], None, "brokers: a: found node id 1 twice, expected it once"),
        (HOSTS, ["spark-1"], None, "controllers: found spark-1, expected one of kafka-1, kafka-2"),
        (HOSTS, ["kafka-1"], "spark-1", "without: found spark-1, expected one of kafka-1, kafka-2"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    brokers: dict[str, Any], controllers: list[str], without: str | None, said: str
) -> None:
    """Before anything is asked."""
    named = {"controllers": controllers, "without": [without] if without else []}
    assert health.declaration_problems(brokers, named)[0].startswith(said)


def test_sound_arguments_are_taken() -> None:
    """Ansible may give numbers as text."""
    brokers = {"kafka-1": "1", "kafka-2": 2}
    named = {"controllers": ["kafka-1"], "leaving": ["kafka-2"]}
    assert health.declaration_problems(brokers, named) == []
