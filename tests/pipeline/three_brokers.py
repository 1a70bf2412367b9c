"""The lab with three brokers, and what their cluster says of itself."""

import json

from tests.support.playbooks import on
from tests.support.project import PROJECT

THREE = PROJECT / "inventory" / "lab-ha"
# Node id -> host, as the inventory has them.
NODES = {1: "kafka-1", 2: "producer-1", 3: "consumer-1"}
DATA = "/var/lib/kafka/data"
_SERVERS = "172.29.0.1:9094,172.29.0.2:9094,172.29.0.3:9094"
ADMIN = f"--bootstrap-server {_SERVERS} --command-config /etc/kafka/admin.properties"
TOPICS = f"kafka-topics.sh {ADMIN} --describe"
QUORUM = f"kafka-metadata-quorum.sh {ADMIN} describe --status"
BROKERS = f"kafka-cluster.sh list-endpoints {ADMIN} --include-fenced-brokers"


def tool(node: str, command: str) -> str:
    """Return what one of Kafka's tools prints on a broker."""
    return on(node, f"/opt/kafka/bin/{command}")


def voters(node: str) -> set[int]:
    """Return the ids of the controllers that vote, as a broker knows them."""
    [line] = [line for line in tool(node, QUORUM).splitlines() if "CurrentVoters" in line]
    return {voter["id"] for voter in json.loads(line.split(":", 1)[1])}


def registered(node: str) -> set[int]:
    """Return the ids of the brokers that a broker knows, be they up or not."""
    _, *lines = tool(node, BROKERS).splitlines()
    return {int(line.split()[0]) for line in lines if line.strip()}


def assert_copies(node: str, holders: set[int]) -> None:
    """Assert that each partition, of Kafka's own topics too, is in sync on just these nodes."""
    lines = [line for line in tool(node, TOPICS).splitlines() if "\tPartition: " in line]
    assert len(lines) > 4 * 3
    for line in lines:
        replicas, in_sync = (line.split(f"{name}: ")[1].split()[0] for name in ("Replicas", "Isr"))
        assert {int(n) for n in replicas.split(",")} == holders, line
        assert {int(n) for n in in_sync.split(",")} == holders, line
