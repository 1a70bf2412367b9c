"""Replicas and leaders on three brokers: moved while records are written, and left as they lie."""

import os
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from kafka import TopicPartition

from tests.kafka.kafka_broker import PATIENCE
from tests.kafka.kafka_cluster import KafkaCluster, kafka_cluster
from tests.kafka.spread_calls import (
    THREE,
    THROTTLES,
    call,
    fill,
    play,
    records,
    replicas,
    settings,
    spread,
    unthrottled,
    wanted,
)
from tests.kafka.steady_producer import steady_producer

# Until a test raises it; and few copies of Kafka's own topics, so that these are moved as well.
PROPERTIES = """\
min.insync.replicas=1
offsets.topic.replication.factor=1
replica.fetch.max.bytes=10000
"""
# Bytes a second with which a fetch of a replica, 10 kB here, is followed by eleven seconds of rest.
SLOW, FAST = 500, 100_000_000
OFFSETS = "__consumer_offsets"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """Return three brokers, which tests leave running."""
    folder = tmp_path_factory.mktemp("three")
    with kafka_cluster(Path(os.environ["KAFKA_HOME"]), folder, 3, PROPERTIES) as cluster:
        yield cluster


@pytest.fixture
def topic(cluster: KafkaCluster) -> Iterator[str]:
    """Return a topic of this test's own, of which broker 1 holds the only copies."""
    name = f"spread-{uuid.uuid4().hex[:8]}"
    with cluster.admin() as admin:
        admin.create_topics({name: {"assignments": {p: [1] for p in range(4)}}})
        admin.wait_for_topics([name])
    yield name
    with cluster.admin() as admin:
        admin.delete_topics([name])


def test_the_topic_of_offsets_is_made_and_laid_before_somebody_needs_it(
    cluster: KafkaCluster,
) -> None:
    """Or it would be moved by the first run after that; a look alone makes nothing."""
    call(cluster, _ansible_check_mode=True, min_insync_replicas=1)
    assert replicas(cluster) == {}
    assert spread(cluster, min_insync_replicas=1)["diff"]["before"]["replicas"] == {
        f"{OFFSETS}-0": ANY
    }
    assert [sorted(held) for held, _ in replicas(cluster)[OFFSETS]] == [[1, 2, 3]]
    assert not call(cluster, min_insync_replicas=1)["changed"]


def test_one_copy_becomes_three_while_records_are_written(
    cluster: KafkaCluster, topic: str, tmp_path: Path
) -> None:
    """Every record once; each broker leads its share; seen before, shown meanwhile, done once."""
    with steady_producer(cluster.bootstrap, topic) as sent:
        (seen, moved, again), lines = play(cluster, tmp_path, {"check_mode": True}, {}, {})
    assert seen["changed"]
    assert seen["diff"]["before"]["replicas"][f"{topic}-0"] == "1"
    assert seen["diff"]["after"]["min.insync.replicas"] == "2"
    # What was seen is still so afterwards.
    assert (moved["changed"], moved["diff"]) == (True, seen["diff"])
    assert (again["changed"], again["diff"]) == (False, {"before": {}, "after": {}})
    count = len(moved["diff"]["after"]["replicas"])
    assert count >= 4
    assert f"kafka-1: 0 of {count} partitions moved" in lines
    assert f"kafka-1: all {count} partitions moved" in lines
    after = replicas(cluster)
    assert {topic, OFFSETS} <= after.keys()
    for parts in after.values():
        assert all(sorted(held) == [1, 2, 3] and leader == held[0] for held, leader in parts)
    led = Counter(leader for parts in after.values() for _, leader in parts)
    assert sorted(led.values()) == [1, 2, 2]
    assert settings(cluster, topic) == unthrottled(2)
    assert sent.refused == []
    assert len(sent.acknowledged) > 10
    assert records(cluster, topic) == Counter(sent.acknowledged)


def test_an_interrupted_move_is_gone_on_with_and_its_throttles_are_taken_away(
    cluster: KafkaCluster, topic: str
) -> None:
    """Whoever began it and went: the second run finds it under way, and leaves nothing behind."""
    spread(cluster, min_insync_replicas=1)
    fill(cluster, topic)
    with cluster.admin() as admin:
        admin.alter_partition_reassignments({TopicPartition(topic, 0): [1]})
    begun = call(cluster, throttle=SLOW)
    assert begun["left"] == 1
    found = settings(cluster, topic)
    assert [found[f"{b} {THROTTLES[0]}"] for b in (1, 2, 3)] == [str(SLOW)] * 3
    lists = [found[f"{topic} {THROTTLES[place]}"] for place in (1, 3)]
    assert lists == ["0:1", "0:2,0:3"]
    # Not before the copies are there.
    assert found["1 min.insync.replicas"] == "1"
    # What was declared meanwhile may be seen, and nothing is changed by it.
    assert call(cluster, _ansible_check_mode=True)["diff"]["before"]["replicas"] == {
        f"{topic}-0": "1"
    }
    went_on = spread(cluster, throttle=FAST)
    assert (went_on["changed"], went_on["targets"]) == (True, begun["targets"])
    assert settings(cluster, topic) == unthrottled(2)
    assert not call(cluster)["changed"]


def test_a_move_of_somebody_else_is_left_alone_and_named(cluster: KafkaCluster, topic: str) -> None:
    """Nothing of one's own is begun beside it."""
    spread(cluster)
    fill(cluster, topic)
    part = TopicPartition(topic, 0)
    with cluster.admin() as admin:
        admin.alter_partition_reassignments({part: [1]})
        call(cluster, throttle=SLOW)
        admin.alter_partition_reassignments({part: [1, 2]})
        going = admin.list_partition_reassignments()
        refused = call(cluster)
        assert admin.list_partition_reassignments() == going
        admin.alter_partition_reassignments({part: None})
    assert refused["failed"]
    assert f"partition {topic}-0: found a move to 1,2 that somebody else began" in refused["msg"]


def test_a_leaving_broker_is_emptied(cluster: KafkaCluster, topic: str) -> None:
    """Its replicas go to the others, of which fewer are asked for before there are fewer."""
    spread(cluster)
    leaves = {
        "brokers": [{"id": 1}, {"id": 3, "rack": ""}],
        "leaving": [2],
        "replication_factor": 2,
        "min_insync_replicas": 1,
    }
    assert call(cluster, **leaves)["changed"]
    assert settings(cluster, topic) == unthrottled(1)
    spread(cluster, **leaves)
    assert all(sorted(held) == [1, 3] for parts in replicas(cluster).values() for held, _ in parts)
    spread(cluster)
    assert all(len(held) == 3 for parts in replicas(cluster).values() for held, _ in parts)
    assert settings(cluster, topic) == unthrottled(2)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"brokers": {"1": "", "2": ""}}, "replication_factor: found 3 copies, expected 1 to 2"),
        (
            {"brokers": {**THREE, "7": ""}},
            "brokers: found 7, which is not in the cluster, expected some of 1,2,3",
        ),
        ({"bootstrap_servers": ["127.0.0.1:1"], "timeout": 1}, "127.0.0.1:1: no broker answered"),
    ],
    ids=["too few", "unknown", "nobody"],
)
def test_what_cannot_be_is_one_line(
    cluster: KafkaCluster, changes: dict[str, Any], said: str
) -> None:
    """That names what was found, and changes nothing."""
    before = replicas(cluster)
    failed = call(cluster, **changes)
    assert failed["failed"]
    assert said in failed["msg"]
    assert "\n" not in failed["msg"]
    # The topic of the test before may have been on its way out.
    after = replicas(cluster)
    assert after
    assert after.items() <= before.items()


@pytest.mark.long
def test_a_broker_that_dies_in_a_move_ends_it_and_the_next_run_goes_on(
    cluster: KafkaCluster, topic: str, tmp_path: Path
) -> None:
    """What is left is named, and stays throttled until it is over."""
    spread(cluster)
    fill(cluster, topic)
    part = TopicPartition(topic, 0)
    with cluster.admin() as admin, ThreadPoolExecutor() as pool:
        admin.alter_partition_reassignments({part: [1]})
        slow = wanted(cluster, throttle=SLOW, timeout=10)
        task = {"server_monitoring.cluster.kafka_spread": slow, "ignore_errors": True}
        playing = pool.submit(play, cluster, tmp_path, task)
        deadline = time.monotonic() + PATIENCE
        while not admin.list_partition_reassignments() and time.monotonic() < deadline:
            time.sleep(0.1)
        cluster.kill(3)
        ((given_up,), lines) = playing.result()
    assert given_up["failed"]
    assert "nothing moved for 10 s, 1 partitions are still to move" in given_up["msg"]
    assert f"{topic}-0 to " in given_up["msg"]
    assert "kafka-1: 0 of 1 partitions moved" in lines
    refused = call(cluster)
    assert "broker 3: found that the controller does not hear it" in refused["msg"]
    cluster.start(3)
    cluster.wait_for_all()
    assert f"{topic} {THROTTLES[1]}" in settings(cluster, topic)
    spread(cluster, throttle=FAST)
    assert settings(cluster, topic) == unthrottled(2)
    assert all(len(held) == 3 for held, _ in replicas(cluster)[topic])
