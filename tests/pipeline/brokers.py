"""The lab's brokers, asked on their nodes: by Kafka's tools, and by its admin client in Python."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.pipeline.accounts import command
from tests.pipeline.fault_plan import Lab
from tests.pipeline.outages import PODMAN
from tests.support.playbooks import on
from tests.support.project import PROJECT

THREE = PROJECT / "inventory" / "lab-ha"
HA = Lab(
    "producer-1",
    {"consumer-1": "cpu_mem", "consumer-2": "net_disk"},
    {"kafka-1": "172.29.0.1", "producer-1": "172.29.0.2", "consumer-1": "172.29.0.3"},
)
# Node id -> host: ids follow the inventory's order.
NODES = dict(enumerate(HA.brokers, start=1))
DATA = "/var/lib/kafka/data"
ADMIN = f"--bootstrap-server {','.join(HA.servers)} --command-config /etc/kafka/admin.properties"
TOPICS = f"kafka-topics.sh {ADMIN} --describe"
QUORUM = f"kafka-metadata-quorum.sh {ADMIN} describe --status"
BROKERS = f"kafka-cluster.sh list-endpoints {ADMIN} --include-fenced-brokers"
PATIENCE_SECONDS = 120

# `common` is what a client of kafka-python needs to be the broker that it runs beside.
_AS_BROKER = """
import json, socket, time
from contextlib import closing
from kafka import KafkaAdminClient, KafkaProducer
common = dict(
    bootstrap_servers=%s, security_protocol="SSL", ssl_cafile="/etc/kafka/ca.pem",
    ssl_certfile="/etc/kafka/broker.pem", ssl_keyfile="/etc/kafka/broker.pem",
    request_timeout_ms=5000,
)
"""
# What is wrong at this moment: the same as the module kafka_health finds, in fewer words. A broker
# that was killed looks well to the others until its session has ended, so each must answer itself.
_LOOK = """
def look(wanted):
    for server in common["bootstrap_servers"]:
        host, port = server.split(":")
        socket.create_connection((host, int(port)), 3).close()
    with closing(KafkaAdminClient(bootstrap_timeout_ms=5000, **common)) as admin:
        quorum = admin.describe_metadata_quorum()["topics"][0]["partitions"][0]
        brokers = admin.describe_cluster()["brokers"]
        topics = admin.describe_topics()
    up = {b["broker_id"] for b in brokers if not b["is_fenced"]}
    near = quorum["high_watermark"] - 10
    wrong = [f"{len(up)} of {wanted} brokers"] if len(up) < wanted else []
    wrong += [
        f"controller {v['replica_id']} behind"
        for v in quorum["current_voters"] if v["log_end_offset"] < near
    ]
    wrong += [
        f"{t['name']}-{p['partition_index']} in sync on {p['isr_nodes']}"
        for t in topics for p in t["partitions"]
        if p["leader_id"] < 0 or set(p["isr_nodes"]) != set(p["replica_nodes"])
    ]
    return quorum["leader_id"], wrong
"""
_WAIT = """
deadline = time.monotonic() + %d
while True:
    try:
        leader, wrong = look(%d)
    except Exception as error:
        leader, wrong = -1, [repr(error)]
    if not wrong or time.monotonic() > deadline:
        break
    time.sleep(0.3)
print(json.dumps([leader, wrong]))
"""


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


def as_broker(script: str, lab: Lab = HA) -> str:
    """Return the command that runs Python on a broker, with its rights; see `_AS_BROKER`."""
    return command(_AS_BROKER % lab.servers + script)


def wait_until_whole(lab: Lab = HA) -> str:
    """Wait until all brokers take part and vote, and all copies are in sync.

    Returns the node of the active controller.

    Raises:
        AssertionError: it took longer than `PATIENCE_SECONDS`.

    """
    script = as_broker(_LOOK + _WAIT % (PATIENCE_SECONDS, len(lab.brokers)), lab)
    nodes = list(lab.brokers)
    # None of them needs to run where they are asked from. Node ids follow the inventory's order.
    leader, wrong = json.loads(on(nodes[0], script))
    assert not wrong, wrong
    return nodes[int(leader) - 1]


@contextmanager
def gone(*nodes: str) -> Iterator[None]:
    """Kill nodes at once, as a power failure does, and start them again in the end."""
    subprocess.run([*PODMAN, "kill", *nodes], check=True)
    try:
        yield
    finally:
        subprocess.run([*PODMAN, "start", *nodes], check=True)
