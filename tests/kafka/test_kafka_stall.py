"""Readers whose client waits for what never comes."""

import math
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from kafka import KafkaProducer
from server_monitoring.broker import limits
from server_monitoring.broker.client import client_for
from server_monitoring.broker.clients.kafka_python_reader import KafkaPythonReader
from server_monitoring.broker.cluster import Cluster
from server_monitoring.broker.limits import CLIENTS, KAFKA_PYTHON
from server_monitoring.broker.reader import Reader
from server_monitoring.broker.reader import TopicPartition as Place

from tests.kafka.kafka_broker import Broker, create_topics, kafka_home
from tests.kafka.kafka_cluster import SESSION_SECONDS, KafkaCluster, kafka_cluster

BEFORE, AFTER = b"before", b"after"


@pytest.fixture
def topic(broker: Broker) -> str:
    """Return a topic of one partition with one record."""
    name = f"stall-{uuid.uuid4().hex[:8]}"
    create_topics(broker.address, {name: 1})
    write(broker.address, name, BEFORE)
    return name


@pytest.fixture
def reader(broker: Broker, topic: str) -> Iterator[KafkaPythonReader]:
    """Return a reader that has read what there is."""
    place = Place(topic, 0)
    with client_for(KAFKA_PYTHON).open_reader(Cluster((broker.address,))) as reader:
        assert isinstance(reader, KafkaPythonReader)
        first = reader.start({place: 0})
        found = [record.value for record in first.get(place, ())]
        assert (found or values(reader, 1, 30)) == [BEFORE]
        yield reader


def write(address: str, topic: str, value: bytes) -> None:
    """Write a record, and wait until the broker has it."""
    producer = KafkaProducer(bootstrap_servers=address)
    producer.send(topic, value, partition=0).get(60)
    producer.close()


def values(reader: Reader, count: int, seconds: float) -> list[bytes | None]:
    """Return the next `count` values, or fewer if they do not come within some seconds."""
    found: list[bytes | None] = []
    deadline = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < deadline:
        for records in reader.poll(100, 100).values():
            found += [record.value for record in records]
    return found


def wait_for_nothing(reader: KafkaPythonReader) -> None:
    """Let the client wait for an answer whether its position in each partition still holds."""
    for state in reader._consumer._subscription.assignment.values():  # noqa: SLF001
        state._awaiting_validation = True  # noqa: SLF001
        state.set_validation_pending(math.inf)


def test_a_client_that_does_not_fetch_what_is_there_is_replaced(
    broker: Broker, topic: str, reader: KafkaPythonReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each record comes once; while there is none, the client stays."""
    monkeypatch.setattr(limits, "STALL_SECONDS", 1)
    client = reader._consumer  # noqa: SLF001
    assert values(reader, 1, 3) == []
    assert reader._consumer is client  # noqa: SLF001
    wait_for_nothing(reader)
    write(broker.address, topic, AFTER)
    assert values(reader, 1, 15) == [AFTER]
    assert values(reader, 1, 0.5) == []
    assert reader._consumer is not client  # noqa: SLF001


def test_a_client_that_answers_nothing_is_replaced(
    broker: Broker, topic: str, reader: KafkaPythonReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection waits for the end of a handshake, with all that is to be sent."""
    monkeypatch.setattr(limits, "STALL_SECONDS", 1)
    monkeypatch.setattr(limits, "DOUBT_SECONDS", 1)
    client = reader._consumer  # noqa: SLF001
    for connection in client._client._manager._conns.values():  # noqa: SLF001
        connection.initializing = True
    # One fetch was under way, whose answer comes.
    values(reader, 1, 0.5)
    write(broker.address, topic, AFTER)
    assert values(reader, 1, 15) == [AFTER]
    assert reader._consumer is not client  # noqa: SLF001


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """Return three brokers."""
    with kafka_cluster(kafka_home(), tmp_path_factory.mktemp("three")) as cluster:
        yield cluster


def leader(cluster: KafkaCluster, topic: str) -> int:
    """Return which broker leads a topic of one partition."""
    with cluster.admin() as admin:
        [found] = admin.describe_topics([topic])
    return int(found["partitions"][0]["leader_id"])


@pytest.mark.long
@pytest.mark.parametrize("client", CLIENTS)
def test_reading_goes_on_while_the_coordinator_of_the_group_is_away(
    cluster: KafkaCluster, client: str
) -> None:
    """A broker that was killed counts as there for six seconds; only commits need it."""
    group, topic = f"group-{uuid.uuid4().hex[:8]}", f"away-{uuid.uuid4().hex[:8]}"
    brokers = dict(enumerate(cluster.members))
    alone: dict[str, Any] = {"assignments": {place: [number] for place, number in brokers.items()}}
    with cluster.admin() as admin:
        admin.create_topics({topic: alone | {"configs": {"min.insync.replicas": "1"}}})
        admin.wait_for_topics([topic])
    with client_for(client).open_reader(Cluster(tuple(cluster.bootstrap)), group) as reader:
        reader.claim({Place(topic, 0): 0}, "")
        coordinator = leader(cluster, "__consumer_offsets")
        place = next(Place(topic, p) for p, number in brokers.items() if number != coordinator)
        reader.start({place: 0})
        producer = KafkaProducer(bootstrap_servers=cluster.address(brokers[place.partition]))
        producer.partitions_for(topic)
        cluster.kill(coordinator)
        began, number = time.monotonic(), 0
        try:
            while time.monotonic() - began < SESSION_SECONDS - 2:
                value = str(number).encode()
                producer.send(topic, value, partition=place.partition).get(60)
                assert values(reader, 1, 1.5) == [value]
                number += 1
                reader.commit({place: number}, "")
        finally:
            producer.close()
            cluster.start(coordinator)
            cluster.wait_for_all()
    assert number > 3
