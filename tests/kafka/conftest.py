"""A real broker on loopback, from the tree that KAFKA_HOME names."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from server_monitoring.broker.limits import CLIENTS

from tests.kafka.access_broker import AccessBroker
from tests.kafka.kafka_broker import (
    Broker,
    Pipeline,
    free_port,
    make_pipeline,
)
from tests.kafka.secure_broker import SecureBroker

PLAIN, SECURE = "plain", "secure"


@pytest.fixture(scope="session")
def make_broker(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[type[Broker]], Broker]]:
    """Return a function that starts another broker; all are ended with the session."""
    home = os.environ.get("KAFKA_HOME", "")
    if not home or not (Path(home) / "bin" / "kafka-server-start.sh").exists():
        pytest.fail(f"KAFKA_HOME: found {home!r}, expected a tree with bin/kafka-server-start.sh")
    brokers: list[Broker] = []

    def make(kind: type[Broker]) -> Broker:
        directory = tmp_path_factory.mktemp("kafka")
        broker = kind(Path(home), directory, free_port())
        broker.format()
        brokers.append(broker)
        broker.start()
        return broker

    yield make
    for broker in brokers:
        broker.stop(hard=True)
        shutil.rmtree(broker.directory, ignore_errors=True)


@pytest.fixture(scope="session")
def broker(make_broker: Callable[[type[Broker]], Broker]) -> Broker:
    """Return the broker that tests share and leave running."""
    return make_broker(Broker)


@pytest.fixture(scope="session")
def second_broker(make_broker: Callable[[type[Broker]], Broker]) -> Broker:
    """Return the broker that tests may stop."""
    return make_broker(Broker)


@pytest.fixture(scope="session")
def secure_broker(make_broker: Callable[[type[Broker]], Broker]) -> SecureBroker:
    """Return the broker with TLS, users and access lists, which tests leave running."""
    broker = make_broker(SecureBroker)
    assert isinstance(broker, SecureBroker)
    return broker


@pytest.fixture
def mortal_broker(second_broker: Broker) -> Broker:
    """Return the broker that a test may stop, running, whatever the test before did to it."""
    if second_broker.process is None:
        second_broker.start()
    return second_broker


@pytest.fixture(scope="module")
def access_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccessBroker]:
    """Return a broker that nobody but the holder of its certificate may administrate."""
    directory = tmp_path_factory.mktemp("access")
    broker = AccessBroker(Path(os.environ["KAFKA_HOME"]), directory, free_port())
    broker.format()
    broker.start()
    yield broker
    broker.stop(hard=True)
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> str:
    """Return each Kafka client in turn: the same must be true of both."""
    name: str = request.param
    return name


@pytest.fixture
def listener(request: pytest.FixtureRequest) -> str:
    """Return how the app comes to the broker: in plain text, unless a test asks for both."""
    name: str = getattr(request, "param", PLAIN)
    return name


@pytest.fixture
def pipeline(
    request: pytest.FixtureRequest, tmp_path: Path, client: str, listener: str
) -> Pipeline:
    """Return the two metric groups with topics of this test's own, 3 partitions each."""
    broker = request.getfixturevalue("secure_broker" if listener == SECURE else "broker")
    return make_pipeline(broker, tmp_path, partitions=3, client=client)
