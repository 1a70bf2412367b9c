"""The module kafka_health, of a cluster of three brokers of which one goes away and comes back.

The tests follow one another: each leaves the cluster whole for the next.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from kafka.structs import TopicPartition

from tests.kafka.access_broker import AccessBroker
from tests.kafka.kafka_broker import free_port, kafka_home
from tests.kafka.kafka_cluster import SESSION_SECONDS, KafkaCluster, kafka_cluster
from tests.kafka.kafka_module import run_module

HOSTS = {"kafka-1": 1, "kafka-2": 2, "kafka-3": 3}
PARTITIONS = 6
THREE, SINGLE = "three-copies", "one-copy"
PATIENCE = 120
"""Seconds to wait for what takes a few, on a machine that others use."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """Return three brokers, with a topic of three copies and one of a single copy."""
    with kafka_cluster(kafka_home(), tmp_path_factory.mktemp("cluster")) as cluster:
        cluster.create_topic(THREE, partitions=PARTITIONS, copies=3)
        cluster.create_topic(SINGLE, partitions=3, copies=1)
        yield cluster


def health(cluster: KafkaCluster, **arguments: Any) -> dict[str, Any]:
    """Run the module and return its result."""
    given = {
        "bootstrap_servers": cluster.bootstrap,
        "brokers": HOSTS,
        "controllers": list(HOSTS),
        "timeout": 0,
    }
    return run_module("kafka_health", given | arguments)


def test_a_whole_cluster_stands_and_can_do_without_any_broker(cluster: KafkaCluster) -> None:
    """Whoever is there and was not expected is told, and a topic with one copy holds nothing up."""
    found = health(cluster, timeout=PATIENCE)
    assert not found.get("failed"), found
    assert (found["changed"], found["problems"]) == (False, [])
    assert found["voters"] == list(HOSTS)
    assert found["active_controller"] in HOSTS
    assert found["observers"] == found["fenced"] == found["unknown"] == []
    assert found["single"] == {"count": 3, "names": [f"{SINGLE}-{n}" for n in range(3)]}
    assert (found["under_replicated"], found["moving"]) == (0, 0)
    for host, number in HOSTS.items():
        found = health(cluster, without=host, answered_by=cluster.address(number))
        assert (found["problems"], found["single"]["count"]) == ([], 1)
    brokers = {host: n for host, n in HOSTS.items() if n != 3}
    found = health(cluster, brokers=brokers, controllers=["kafka-1", "kafka-2"], report=True)
    assert found["unknown"] == [3]
    assert len(found["problems"]) == 1
    assert found["problems"][0].startswith("controllers: found the voters kafka-1, kafka-2, node 3")


def test_replicas_that_cannot_be_spared_are_told(cluster: KafkaCluster) -> None:
    """By the topic's own min.insync.replicas, before that of all."""
    cluster.create_topic("strict", partitions=1, copies=3, **{"min.insync.replicas": "3"})
    found = health(cluster, without="kafka-2")
    said = "partition strict-0: without kafka-2 found kafka-1, kafka-3 in sync, expected 3 of"
    assert found["failed"]
    assert found["msg"].startswith(f"Kafka: {said}")
    assert health(cluster)["problems"] == []
    with cluster.admin() as admin:
        admin.delete_topics(["strict"])


def test_a_killed_broker_is_told_and_no_other_may_go(cluster: KafkaCluster) -> None:
    """Once its session has ended; it is waited for until all of its replicas are in sync again."""
    cluster.kill(3)
    away = health(cluster, answered_by=cluster.address(3))
    said = f"{cluster.address(3)}: no broker answered within 3 s: see whether kafka.service is act"
    assert away["msg"].startswith(f"Kafka: {said}")
    found = until_fenced(cluster, "kafka-3")
    assert found["problems"][0].startswith("broker kafka-3 (node 3): found it fenced, expected")
    assert found["under_replicated"] >= PARTITIONS
    found = health(cluster, without="kafka-2", timeout=1)
    assert found["msg"].startswith("Kafka: broker kafka-3 (node 3): found it fenced")
    assert found["msg"].endswith(f"(and {len(found['problems']) - 1} more)")
    words = "\n".join(found["problems"])
    assert f"partition {THREE}-0: without kafka-2 found kafka-1 in sync, expected 2 of" in words
    assert "controllers: without kafka-2 found kafka-1 caught up, expected 2 of" in words
    # What is away already may go.
    assert not any("without" in line for line in health(cluster, without="kafka-3")["problems"])
    with moving(cluster, SINGLE, to=3):
        found = health(cluster)
        assert found["moving"] == 1
        assert any("found 1 being moved" in line for line in found["problems"])
    cluster.members[3].launch()
    back = health(cluster, answered_by=cluster.address(3), timeout=PATIENCE)
    assert (back.get("failed"), back["problems"]) == (None, [])
    assert (back["under_replicated"], back["voters"]) == (0, list(HOSTS))


def test_a_dead_controller_s_vote_is_taken_and_what_its_broker_has_is_told(
    cluster: KafkaCluster,
) -> None:
    """It is not forgotten while copies are on it; when it comes back it votes again by itself."""
    cluster.kill(3)
    until_led(cluster, {"kafka-1", "kafka-2"})
    voters: dict[str, Any] = {
        "bootstrap_servers": [cluster.address(number) for number in (1, 2)],
        "brokers": HOSTS,
        "controllers": ["kafka-1", "kafka-2"],
        "tools": str(kafka_home() / "bin"),
        "timeout": PATIENCE,
    }
    kept = run_module("kafka_voters", voters | {"keep": ["kafka-3"]})
    seen = run_module("kafka_voters", voters | {"_ansible_check_mode": True})
    assert (kept["changed"], seen.get("removed")) == (False, ["kafka-3"]), seen
    assert health(cluster, report=True, brokers=HOSTS)["voters"] == list(HOSTS)
    found = run_module("kafka_voters", voters)
    assert (found["changed"], found["removed"]) == (True, ["kafka-3"])
    assert not run_module("kafka_voters", voters)["changed"]
    left = {key: voters[key] for key in ("bootstrap_servers", "tools")}
    told = run_module("kafka_unregister", left | {"brokers": {"kafka-3": 3}, "timeout": 1})
    assert told["msg"].startswith("Kafka: partition ")
    assert f"partition {THREE}-0: found it on kafka-3, expected it on the" in str(told["problems"])
    cluster.members[3].launch()
    back = health(cluster, answered_by=cluster.address(3), timeout=PATIENCE)
    assert (back.get("failed"), back["voters"]) == (None, list(HOSTS))


def until_led(cluster: KafkaCluster, hosts: set[str]) -> None:
    """Wait until one of these is the active controller: it may have been the one that died."""
    deadline = time.monotonic() + PATIENCE
    while health(cluster, report=True)["active_controller"] not in hosts:
        assert time.monotonic() < deadline, "no other controller leads"


def until_fenced(cluster: KafkaCluster, host: str) -> dict[str, Any]:
    """Return what is found as soon as a broker's session has ended."""
    deadline = time.monotonic() + SESSION_SECONDS + PATIENCE
    while (found := health(cluster, report=True))["fenced"] != [host]:
        assert time.monotonic() < deadline, found
        assert not found.get("failed")
    return found


@contextmanager
def moving(cluster: KafkaCluster, topic: str, to: int) -> Iterator[None]:
    """Let a partition move to a broker that is away, so that it does not come to an end."""
    with cluster.admin() as admin:
        found = admin.describe_topics([topic])[0]["partitions"]
        number = next(p["partition_index"] for p in found if to not in p["replica_nodes"])
        partition = TopicPartition(topic, number)
        begun = admin.alter_partition_reassignments({partition: [to]})
        assert begun == {partition: None}
        yield
        admin.alter_partition_reassignments({partition: None})


@pytest.mark.long
def test_two_brokers_that_are_away_leave_no_active_controller(cluster: KafkaCluster) -> None:
    """The third says so in a bounded time, and once they are back all is well without a hand."""
    for number in (1, 2):
        cluster.kill(number)
    found = health(cluster, report=True)
    assert any(line.startswith("controllers: found no active one") for line in found["problems"])
    assert found["moving"] is None
    for number in (1, 2):
        cluster.members[number].launch()
    back = health(cluster, answered_by=cluster.address(1), timeout=PATIENCE)
    assert (back.get("failed"), back["problems"]) == (None, [])


def test_a_broker_alone_may_go_unless_that_matters(access_broker: AccessBroker) -> None:
    """It has no second for anything, and can be restarted in no other way; asked by its owner."""
    given = access_broker.arguments()
    (server,) = given["bootstrap_servers"]
    alone = {
        "bootstrap_servers": [server],
        "admin_properties": given["admin_properties"],
        "brokers": {"kafka-1": 1},
        "controllers": ["kafka-1"],
        "without": "kafka-1",
        "answered_by": server,
    }
    found = run_module("kafka_health", alone)
    assert (found["problems"], found["voters"]) == ([], ["kafka-1"])
    found = run_module("kafka_health", alone | {"allow_single": False})
    assert found["msg"].startswith("Kafka: ")
    assert "controllers: without kafka-1 found none caught up" in found["problems"][-1]


def test_nobody_who_answers_is_one_line(cluster: KafkaCluster) -> None:
    """All facts are there and empty; one broker of many that answers is enough."""
    lost = f"127.0.0.1:{free_port()}"
    found = health(cluster, bootstrap_servers=[lost], timeout=1)
    assert found["msg"].startswith(f"Kafka: {lost}: no broker answered within")
    assert "\n" not in found["msg"]
    assert "Traceback" not in found["output"]
    assert (found["voters"], found["moving"]) == ([], None)
    assert health(cluster, bootstrap_servers=[lost, cluster.address(2)])["problems"] == []


def test_a_stranger_among_the_arguments_is_refused_unasked(cluster: KafkaCluster) -> None:
    """With the argument's name."""
    found = health(cluster, without="spark-1", bootstrap_servers=["127.0.0.1:1"])
    assert found["msg"] == "without: found spark-1, expected one of kafka-1, kafka-2, kafka-3"
    assert not health(cluster, declarations_only=True, bootstrap_servers=[]).get("failed")
