"""Calls of kafka_spread on a cluster of three brokers, and looks at what they leave there."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import yaml
from kafka import KafkaConsumer, TopicPartition

from tests.kafka.kafka_broker import PATIENCE
from tests.kafka.kafka_cluster import KafkaCluster
from tests.kafka.kafka_module import run_module
from tests.kafka.steady_producer import steady_producer
from tests.support.project import PROJECT

THREE = {"1": "rack-a", "2": "rack-b", "3": "rack-c"}
THROTTLES = [
    f"{who}.replication.throttled.{what}"
    for who in ("leader", "follower")
    for what in ("rate", "replicas")
]


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
