"""A cluster whose check cannot be passed: nothing is restarted, and the line says why.

A copy of one partition is moved to the third broker at a byte a second, so it is not in sync for as
long as the topic is there, and no broker has to stop for it.
"""

from collections.abc import Iterator

import pytest

from tests.pipeline.brokers import ADMIN, HA, THREE, TOPICS, as_broker, tool, wait_until_whole
from tests.pipeline.units import broker
from tests.support.playbooks import Result, on, play

pytestmark = pytest.mark.long

TOPIC = "test-stuck"
# Kafka lets a copy that is behind take a megabyte about each ten seconds, however low the rate.
FILL = f"""
producer = KafkaProducer(max_request_size=1_000_000, **common)
for _ in range(60):
    producer.send("{TOPIC}", bytes(900_000))
producer.flush()
"""
MOVE = (
    f"""echo '{{"version": 1, "partitions": [{{"topic": "{TOPIC}", "partition": 0, """
    """"replicas": [1, 2, 3]}]}' > /tmp/move.json && """
    f"/opt/kafka/bin/kafka-reassign-partitions.sh {ADMIN} --reassignment-json-file /tmp/move.json "
    "--execute --throttle 1; rm /tmp/move.json"
)
RATES = "leader.replication.throttled.rate,follower.replication.throttled.rate"
SETTING = {"kafka_log_retention_hours": 100}


def pids() -> dict[str, int]:
    """Return the process of each broker."""
    return {node: broker(node).pid() for node in HA.brokers}


def remove() -> None:
    """Delete the topic, and let copies be as fast as before."""
    tool("kafka-1", f"kafka-topics.sh {ADMIN} --delete --if-exists --topic {TOPIC}")
    for node in range(1, len(HA.brokers) + 1):
        entity = f"--entity-type brokers --entity-name {node} --alter --delete-config {RATES}"
        tool("kafka-1", f"kafka-configs.sh {ADMIN} {entity}")
    wait_until_whole()


@pytest.fixture
def _stuck() -> Iterator[None]:
    """Let the cluster be in need of the topic's third copy."""
    tool("kafka-1", f"kafka-topics.sh {ADMIN} --create --topic {TOPIC} --replica-assignment 1:2")
    try:
        on("kafka-1", as_broker(FILL))
        on("kafka-1", MOVE)
        yield
    finally:
        remove()


def assert_stuck(result: Result, before: dict[str, int]) -> None:
    """Assert that a playbook failed by one line that names the partition, and stopped nothing."""
    assert result.status != 0
    lines = [line for line in result.output.splitlines() if line.startswith("failed: ")]
    assert len(lines) == 1, result.tail()
    assert f"partition {TOPIC}-0: found kafka-1, producer-1 in sync, expected" in lines[0]
    assert pids() == before


@pytest.mark.usefixtures("_stuck")
def test_no_broker_is_restarted_while_a_copy_is_not_in_sync() -> None:
    """Neither on request, nor for a setting, which waits in its file."""
    before = pids()
    result = play("playbooks/kafka_restart.yml", inventory=THREE, extra={"kafka_roll_timeout": 10})
    assert_stuck(result, before)
    result = play(
        "provision.yml",
        "--tags=kafka",
        inventory=THREE,
        extra={"kafka_roll_timeout": 10, **SETTING},
    )
    assert_stuck(result, before)
    for node in HA.brokers:
        assert on(node, "grep -c ^log.retention.hours=100$ /etc/kafka/server.properties") == "1"


def test_brokers_are_restarted_once_all_copies_are_in_sync() -> None:
    """The active controller comes last; what waited in the files is what they run with."""
    before, leader = pids(), wait_until_whole()
    result = play("playbooks/kafka_restart.yml", inventory=THREE)
    assert result.status == 0, result.tail()
    assert not set(before.values()) & set(pids().values())
    started = {node: int(broker(node).show("ExecMainStartTimestampMonotonic")) for node in before}
    assert max(started, key=lambda node: started[node]) == leader, started
    lines = [line for line in tool("kafka-1", TOPICS).splitlines() if "\tPartition: " in line]
    for line in lines:
        leads, first = (line.split(f"{name}: ")[1].split()[0] for name in ("Leader", "Replicas"))
        assert leads == first.split(",")[0], line
    # What runs is what is there: nothing is left to do but to take the setting back.
    again = play("provision.yml", "--tags=kafka", inventory=THREE, extra=SETTING)
    assert again.status == 0, again.tail()
    assert set(again.changed().values()) == {0}, again.tail(200)
    back = play("provision.yml", "--tags=kafka", inventory=THREE)
    assert back.status == 0, back.tail()
