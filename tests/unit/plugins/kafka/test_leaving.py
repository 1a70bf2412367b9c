"""Brokers on their way out: what they may lack, who votes no more and when, what they leave."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from ansible_collections.server_monitoring.cluster.plugins.module_utils.kafka import (
    cluster_state,
    health,
    voters,
)

HOSTS = {f"kafka-{n}": n for n in range(1, 6)}
NAMES = {node: host for host, node in HOSTS.items()}
ONE_UUID = "MkU3OEVBNTcwNTJENDM2Qg"


def quorum(alive: set[int], dead: set[int] | None = None, leader: int = 1) -> Any:
    """Return voters that have all of the log, and some that have nothing."""
    ends = dict.fromkeys(alive, 100) | dict.fromkeys(dead or (), -1)
    return cluster_state.Quorum(leader=leader, high_watermark=100, voters=ends)


def state(**changes: Any) -> Any:
    """Return three brokers that vote, and a partition of theirs."""
    brokers = {n: cluster_state.Broker(f"10.0.0.{n}:9094", fenced=False) for n in (1, 2, 3)}
    part = cluster_state.Partition("topic-cpu", 0, 1, (1, 2, 3), (1, 2, 3))
    whole = {"brokers": brokers, "partitions": (part,), "quorum": quorum({1, 2, 3}), "moving": ()}
    return cluster_state.State(**(whole | changes))


@pytest.mark.parametrize(
    ("found", "wanted", "keep", "step"),
    [
        # Nobody is too many.
        (quorum({1, 2, 3}), {1, 2, 3}, set(), voters.Step()),
        (quorum({1, 2, 3}), {1}, {2, 3}, voters.Step()),
        # Three become one: the active controller is the last that goes.
        (quorum({1, 2, 3}, leader=1), {3}, set(), voters.Step(remove=2)),
        (quorum({1, 3}, leader=1), {3}, set(), voters.Step(remove=1)),
        # Before one goes that lives, those that stay vote, and have what they vote on.
        (quorum({1}), {2}, set(), voters.Step(wait_for="kafka-2 to vote")),
        (quorum({1}, dead={2}), {2}, set(), voters.Step(wait_for="kafka-2 to vote")),
        (quorum({1, 2}), {2}, set(), voters.Step(remove=1)),
        # Who is dead goes at once, and first.
        (quorum({1, 2}, dead={3}), {1, 2, 4}, set(), voters.Step(remove=3)),
        (quorum({1, 2, 3}, dead={4}, leader=2), {1}, set(), voters.Step(remove=4)),
        # Not without a majority of the others.
        (
            quorum({1, 2, 3}, dead={4, 5}),
            {1, 4, 5},
            {3},
            voters.Step(wait_for="kafka-4, kafka-5 to vote"),
        ),
        (
            quorum({1, 2}, dead={3, 4, 5}),
            {1, 2, 4, 5},
            set(),
            voters.Step(wait_for="most of kafka-1, kafka-2, kafka-4, kafka-5 to be up"),
        ),
        (quorum({1, 9}, leader=1), {1}, set(), voters.Step(remove=9)),
    ],
)
def test_voters_go_one_by_one(found: Any, wanted: set[int], keep: set[int], step: Any) -> None:
    """Each in a moment in which the others can agree without it."""
    assert voters.next_step(found, wanted, keep, NAMES) == step


def test_a_voter_s_directory_is_written_as_kafka_s_tools_do() -> None:
    """The client has it with dashes."""
    directory = uuid.UUID("32453738-4541-3537-3035-324434333642")
    voter = {"replica_id": 1, "log_end_offset": 5, "replica_directory_id": directory}
    partition = {"error": "", "leader_id": 1, "high_watermark": 5, "observers": []}
    answer = {"topics": [{"partitions": [partition | {"current_voters": [voter]}]}]}
    found = cluster_state.quorum_of(answer)
    assert found is not None
    assert found.directories == {1: ONE_UUID}


def test_what_a_broker_lacks_that_leaves_is_no_problem() -> None:
    """It may be dead; of others, and of what nobody else has, it is one."""
    brokers = dict(state().brokers) | {3: cluster_state.Broker("10.0.0.3:9094", fenced=True)}
    part = cluster_state.Partition("topic-cpu", 0, 1, (1, 2, 3), (1, 2))
    dead = state(brokers=brokers, partitions=(part,), quorum=quorum({1, 2}, dead={3}))
    three = {host: node for host, node in HOSTS.items() if node <= 3}
    leaves = health.Expected(three, (), ("kafka-3",))
    assert health.problems(dead, leaves) == []
    assert len(health.problems(dead, health.Expected(three, ()))) == 3
    other = health.problems(dead, health.Expected(three, (), ("kafka-2",)))
    assert other[0].startswith("broker kafka-3 (node 3): found it fenced")
    only = cluster_state.Partition("topic-mem", 4, -1, (3,), (3,))
    found = health.problems(state(brokers=brokers, partitions=(only,)), leaves)
    assert found == ["partition topic-mem-4: found no leader, expected one of kafka-3"]


def test_what_a_broker_leaves_behind_is_told() -> None:
    """Replicas, a vote, and that it still runs; nothing once it has left."""
    found = health.left_behind(state(), {3: "kafka-3"})
    assert [line.partition(":")[0] for line in found] == [
        "partition topic-cpu-0",
        "controller kafka-3",
        "broker kafka-3",
    ]
    part = cluster_state.Partition("topic-cpu", 0, 1, (1, 2), (1, 2))
    without = state(partitions=(part,), quorum=quorum({1}))
    assert len(health.left_behind(without, {3: "kafka-3"})) == 1
    fenced = dict(state().brokers) | {3: cluster_state.Broker("10.0.0.3:9094", fenced=True)}
    stopped = state(partitions=(part,), quorum=quorum({1}), brokers=fenced)
    assert health.left_behind(stopped, {3: "kafka-3"}) == []
    (silent,) = health.left_behind(state(partitions=(part,), quorum=None), {4: "kafka-4"})
    assert silent.startswith("controllers: found no active one")
