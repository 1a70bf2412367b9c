"""A real broker on loopback, from the tree that KAFKA_HOME names."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from server_monitoring.broker.limits import CLIENTS

from tests.kafka.access_broker import AccessBroker
from tests.kafka.kafka_broker import Broker, Pipeline, make_pipeline, running_broker
from tests.kafka.live_rows import LiveMode, live_mode
from tests.kafka.secure_broker import SecureBroker

PLAIN, SECURE = "plain", "secure"


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Return the broker that tests share and leave running."""
    with running_broker(Broker, tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture(scope="session")
def secure_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    """Return the broker with TLS, users and access lists, which tests leave running."""
    with running_broker(SecureBroker, tmp_path_factory.mktemp("secure")) as broker:
        yield broker


@pytest.fixture(scope="session")
def access_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccessBroker]:
    """Return a broker that nobody but the holder of its certificate may administrate."""
    with running_broker(AccessBroker, tmp_path_factory.mktemp("access")) as broker:
        yield broker


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Broker]:
    """Return a broker to kill."""
    directory = tmp_path / "mortal"
    directory.mkdir()
    with running_broker(Broker, directory) as broker:
        yield broker


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> str:
    """Return each Kafka client in turn: the same must be true of both."""
    name: str = request.param
    return name


@pytest.fixture
def live(broker: Broker, tmp_path: Path, client: str) -> Iterator[LiveMode]:
    """Return live mode with topics of this test's own."""
    with live_mode(broker, tmp_path, client) as made:
        yield made


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
