"""What is read of a cluster, and what happens when a broker goes away meanwhile: no broker here."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.server_monitoring.cluster.plugins.module_utils.kafka import (
    admin,
    cluster_state,
    cluster_watch,
)
from kafka import errors
from kafka.structs import TopicPartition

TOPIC: dict[str, Any] = {
    "error_code": 0,
    "name": "a",
    "is_internal": False,
    "partitions": [
        {
            "error_code": 0,
            "partition_index": number,
            "leader_id": 1,
            "replica_nodes": [1, 2, 3],
            "isr_nodes": [2, 3],
            "offline_replicas": [1],
        }
        for number in (1, 0)
    ],
}
VOTERS = [{"replica_id": n, "log_end_offset": end} for n, end in ((1, -1), (2, 70), (3, 70))]
QUORUM: dict[str, Any] = {
    "topic_name": "__cluster_metadata",
    "partitions": [
        {
            "leader_id": 3,
            "high_watermark": 70,
            "current_voters": VOTERS,
            "observers": [{"replica_id": 1, "log_end_offset": 60}],
            "error": None,
        }
    ],
}


class FakeAdmin:
    """Answers of a cluster whose broker 1 was killed; one of the questions may fail."""

    def __init__(self, failing: str = "", error: Exception | None = None) -> None:
        """Take the name of the method that fails."""
        self.failing, self.error, self.closed = failing, error, False

    def _answer(self, name: str, answer: Any) -> Any:
        if name == self.failing and self.error:
            raise self.error
        return answer

    def close(self) -> None:
        """End the connection."""
        self.closed = True

    def describe_cluster(self) -> Any:
        """Return the brokers."""
        brokers = [
            {"broker_id": n, "host": "10.0.0.1", "port": 9090 + n, "is_fenced": n == 1}
            for n in (1, 2, 3)
        ]
        return self._answer("describe_cluster", {"brokers": brokers})

    def describe_topics(self) -> Any:
        """Return one topic that can be described, and one that cannot."""
        bad = {"error_code": 17, "name": "bad", "partitions": []}
        return self._answer("describe_topics", [bad, TOPIC])

    def describe_configs(self, resources: list[Any], config_filter: str) -> Any:
        """Return the setting of the topics that were asked for."""
        assert config_filter == "all"
        found = {r.name: {key: {"value": "2"} for key in r.configs} for r in resources}
        return self._answer("describe_configs", {"topic": found})

    def describe_metadata_quorum(self) -> Any:
        """Return the controllers."""
        return self._answer("describe_metadata_quorum", {"topics": [QUORUM]})

    def list_partition_reassignments(self) -> Any:
        """Return the moves."""
        return self._answer("list_partition_reassignments", {TopicPartition("a", 1): {}})


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[FakeAdmin]:
    """Return the clients that will be made, in this order; tests fill the list."""
    waiting: list[FakeAdmin] = []
    monkeypatch.setattr(cluster_watch, "connect", lambda *_: waiting.pop(0))
    return waiting


def watch() -> cluster_watch.Watch:
    """Return what is tested."""
    return cluster_watch.Watch(["10.0.0.1:9091"], None)


def test_answers_become_a_state(connections: list[FakeAdmin]) -> None:
    """All that is known of brokers, partitions, controllers and moves; fenced ones are among it."""
    connections.append(FakeAdmin())
    replicas: dict[str, Any] = {"leader": 1, "replicas": (1, 2, 3), "in_sync": (2, 3), "least": 2}
    assert watch().look(least=True) == cluster_state.State(
        brokers={n: cluster_state.Broker(f"10.0.0.1:{9090 + n}", fenced=n == 1) for n in (1, 2, 3)},
        partitions=(
            cluster_state.Partition(topic="a", number=0, **replicas),
            cluster_state.Partition(topic="a", number=1, **replicas),
        ),
        quorum=cluster_state.Quorum(3, 70, {1: -1, 2: 70, 3: 70}, (1,)),
        moving=("a-1",),
        troubles={"bad": "InvalidTopicError"},
    )


def test_settings_are_asked_for_only_where_they_matter(connections: list[FakeAdmin]) -> None:
    """There may be thousands of topics."""
    connections.append(FakeAdmin("describe_configs", AssertionError("asked")))
    found = watch().look(least=False)
    assert {p.least for p in found.partitions} == {None}


@pytest.mark.parametrize(
    ("code", "leader", "expected"), [(0, 1, 1), (9, 1, 1), (5, 1, -1), (5, -1, -1), (72, 2, -1)]
)
def test_a_leader_that_cannot_be_used_is_none(code: int, leader: int, expected: int) -> None:
    """An error that only speaks of a replica's absence names a leader that can."""
    partition = TOPIC["partitions"][0] | {"error_code": code, "leader_id": leader}
    found = cluster_state.partitions_of([TOPIC | {"partitions": [partition]}], {})
    assert [p.leader for p in found] == [expected]


QUORUM_ASKED = pytest.mark.parametrize(
    "failing", ["describe_metadata_quorum", "list_partition_reassignments"]
)


@QUORUM_ASKED
def test_silent_controllers_leave_the_rest(
    connections: list[FakeAdmin], failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What brokers know by themselves is told; neither voters nor moves are half known."""
    monkeypatch.setattr(cluster_watch, "ANSWER_SECONDS", 0)
    first = FakeAdmin(failing, errors.KafkaTimeoutError())
    connections += [first, FakeAdmin()]
    looking = watch()
    found = looking.look(least=False)
    assert (found.quorum, found.moving, found.silence) == (None, None, "KafkaTimeoutError")
    assert len(found.brokers) == 3
    assert first.closed
    assert looking.look(least=False).quorum is not None


@QUORUM_ASKED
@pytest.mark.parametrize("error", [errors.KafkaConnectionError(), RuntimeError("whom to ask")])
def test_a_refused_connection_does_not_mean_that_controllers_are_silent(
    connections: list[FakeAdmin], failing: str, error: Exception
) -> None:
    """Whoever was to hand the question on may be the one that went away: another is asked."""
    connections += [FakeAdmin(failing, error), FakeAdmin()]
    found = watch().look(least=False)
    assert (found.moving, found.silence) == (("a-1",), "")
    assert found.quorum is not None


def test_controllers_that_tell_an_error_are_none() -> None:
    """The answer has nothing else then that means anything."""
    partition = QUORUM["partitions"][0] | {"error": "NotLeaderForPartition"}
    assert cluster_state.quorum_of({"topics": [{"partitions": [partition]}]}) is None


def test_a_broker_that_went_away_is_not_asked_again(connections: list[FakeAdmin]) -> None:
    """The client is made anew, and the connection that holds is kept."""
    gone = FakeAdmin("describe_topics", errors.KafkaConnectionError())
    connections += [gone, FakeAdmin()]
    looking = watch()
    for _ in range(3):
        assert looking.look(least=False).moving == ("a-1",)
    assert gone.closed
    assert connections == []


def test_brokers_that_never_answer_are_one_line(connections: list[FakeAdmin]) -> None:
    """After a few attempts."""
    connections += [FakeAdmin("describe_cluster", errors.KafkaConnectionError())] * 3
    with pytest.raises(admin.BrokerError, match=r"gave no answer \(KafkaConnectionError\)"):
        watch().look(least=False)
    assert connections == []


def test_a_broker_is_asked_itself_until_it_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once: it has started then."""
    asked: list[Any] = []

    def connect(*whom: Any) -> FakeAdmin:
        asked.append(whom)
        return FakeAdmin()

    monkeypatch.setattr(cluster_watch, "connect", connect)
    looking = watch()
    for _ in range(2):
        looking.answers("10.0.0.2:9092")
    assert asked == [(["10.0.0.2:9092"], None)]


@pytest.mark.parametrize("server", ["127.0.0.1:1", "no port", "", "[::1]:1"])
def test_nobody_there_is_one_line(server: str) -> None:
    """Whatever is asked for, it is named, and told at once."""
    with pytest.raises(admin.BrokerError, match="no broker answered") as caught:
        cluster_watch.connect([server], None)
    assert "\n" not in str(caught.value)
