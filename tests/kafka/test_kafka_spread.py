"""Replicas and leaders on three brokers: moved while records are written, and left as they lie."""

import json
import os
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from kafka import KafkaConsumer, TopicPartition

from tests.kafka.kafka_broker import PATIENCE
from tests.kafka.kafka_cluster import KafkaCluster, kafka_cluster
from tests.kafka.kafka_module import run_module
from tests.kafka.steady_producer import steady_producer
from tests.support.project import PROJECT

# Until a test raises it; and few copies of Kafka's own topics, so that these are moved as well.
PROPERTIES = """\
min.insync.replicas=1
offsets.topic.replication.factor=1
replica.fetch.max.bytes=10000
"""
# Bytes a second with which a fetch of a replica, 10 kB here, is followed by eleven seconds of rest.
SLOW, FAST = 500, 100_000_000
THREE = {"1": "rack-a", "2": "rack-b", "3": "rack-c"}
THROTTLES = [
    f"{who}.replication.throttled.{what}"
    for who in ("leader", "follower")
    for what in ("rate", "replicas")
]


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


def wanted(cluster: KafkaCluster, **changes: Any) -> dict[str, Any]:
    """Return the module's arguments: three copies on three brokers, two in sync."""
    arguments: dict[str, Any] = {
        "bootstrap_servers": cluster.bootstrap,
        "brokers": THREE,
        "replication_factor": 3,
        "min_insync_replicas": 2,
    }
    return arguments | changes


def call(cluster: KafkaCluster, **changes: Any) -> dict[str, Any]:
    """Call the module once, and return its result."""
    return run_module("kafka_spread", wanted(cluster, **changes))


def spread(cluster: KafkaCluster, **changes: Any) -> dict[str, Any]:
    """Call the module until all is as declared; return the result of its first call."""
    first = last = call(cluster, **changes)
    deadline = time.monotonic() + PATIENCE
    while not last.get("over"):
        assert not last.get("failed"), last
        assert time.monotonic() < deadline, last
        last = call(cluster, targets=first["targets"], **changes)
    return first


def play(cluster: KafkaCluster, folder: Path, *tasks: dict[str, Any]) -> tuple[list[Any], str]:
    """Play tasks that call the action; return the result of each, and the lines shown meanwhile."""
    action = "server_monitoring.cluster.kafka_spread"
    site = [{action: wanted(cluster), "name": "Spread"} | task for task in tasks]
    variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    hosts = {"all": {"hosts": {"kafka-1": variables}}}
    (folder / "hosts.yml").write_text(yaml.safe_dump(hosts), encoding="utf-8")
    text = yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": site}])
    (folder / "site.yml").write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["ansible-playbook", "-i", "hosts.yml", "site.yml"],
        cwd=folder,
        env=os.environ
        | {
            "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "PYTHONPATH": str(PROJECT / "app" / "src"),
            "SERVER_MONITORING_POLL_SECONDS": "0.2",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    said = json.loads(done.stdout)
    return [task["hosts"]["kafka-1"] for task in said["plays"][0]["tasks"]], done.stderr


def replicas(cluster: KafkaCluster) -> dict[str, list[tuple[list[int], int]]]:
    """Return replicas and leader of each partition of each topic."""
    with cluster.admin() as admin:
        return {
            topic["name"]: [
                (p["replica_nodes"], p["leader_id"])
                for p in sorted(topic["partitions"], key=lambda p: p["partition_index"])
            ]
            for topic in admin.describe_topics()
        }


def settings(cluster: KafkaCluster, topic: str) -> dict[str, str]:
    """Return what throttles moves on brokers and of a topic, and each broker's least in sync."""
    from kafka.admin import ConfigResource  # noqa: PLC0415 -- has no types

    asked = [ConfigResource("BROKER", str(b)) for b in cluster.members]
    with cluster.admin() as admin:
        found = admin.describe_configs(
            [*asked, ConfigResource("TOPIC", topic)], config_filter="all"
        )
    return {
        f"{of} {key}": value["value"]
        for resources in found.values()
        for of, values in resources.items()
        for key, value in values.items()
        if (key in THROTTLES and value["config_source"].startswith("DYNAMIC"))
        or (key == "min.insync.replicas" and of in {"1", "2", "3"})
    }


def unthrottled(least: int) -> dict[str, str]:
    """Return what `settings` finds when no move is throttled."""
    return {f"{broker} min.insync.replicas": str(least) for broker in (1, 2, 3)}


def records(cluster: KafkaCluster, topic: str) -> Counter[int]:
    """Return how often each number stands in the topic."""
    consumer = KafkaConsumer(bootstrap_servers=cluster.bootstrap, auto_offset_reset="earliest")
    parts = [TopicPartition(topic, p) for p in range(4)]
    ends = consumer.end_offsets(parts)
    consumer.assign(parts)
    count: Counter[int] = Counter()
    while any(consumer.position(p) < end for p, end in ends.items()):
        for found in consumer.poll(1000).values():
            count.update(int(record.value) for record in found)
    consumer.close()
    return count


def fill(cluster: KafkaCluster, topic: str) -> None:
    """Write so much to each partition of a topic that a slow move takes minutes."""
    with steady_producer(cluster.bootstrap, topic, size=10_000) as sent:
        deadline = time.monotonic() + PATIENCE
        while len(sent.acknowledged) < 100 and time.monotonic() < deadline:
            time.sleep(0.05)


def commit(cluster: KafkaCluster, topic: str) -> None:
    """Make Kafka's own topic of offsets, by a group that commits one."""
    consumer = KafkaConsumer(bootstrap_servers=cluster.bootstrap, group_id="spread")
    consumer.assign([TopicPartition(topic, 0)])
    consumer.position(TopicPartition(topic, 0))
    consumer.commit()
    consumer.close()


def test_one_copy_becomes_three_while_records_are_written(
    cluster: KafkaCluster, topic: str, tmp_path: Path
) -> None:
    """Every record once; each broker leads its share; seen before, shown meanwhile, done once."""
    commit(cluster, topic)
    with steady_producer(cluster.bootstrap, topic) as sent:
        (seen, moved, again), lines = play(cluster, tmp_path, {"check_mode": True}, {}, {})
    assert seen["changed"]
    assert seen["diff"]["before"]["replicas"][f"{topic}-0"] == "1"
    assert seen["diff"]["after"]["min.insync.replicas"] == "2"
    # What was seen is still so afterwards.
    assert (moved["changed"], moved["diff"]) == (True, seen["diff"])
    assert (again["changed"], again["diff"]) == (False, {"before": {}, "after": {}})
    assert "kafka-1: 0 of 5 partitions moved" in lines
    assert "kafka-1: all 5 partitions moved" in lines
    after = replicas(cluster)
    assert {topic, "__consumer_offsets"} <= after.keys()
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
    assert replicas(cluster) == before


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
