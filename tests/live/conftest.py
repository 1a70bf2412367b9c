"""Brokers on loopback, from the tree that KAFKA_HOME names, and live mode beside them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.kafka_broker import Broker, kafka_home, running_broker
from tests.kafka.kafka_cluster import KafkaCluster, kafka_cluster
from tests.support.storm_options import add_storm_options

HEAP = "512m"
PROPERTIES = "transaction.state.log.num.partitions=5\n"
"""Fewer than the default of 50, which three brokers on one machine take long to elect."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare how long a storm lasts, its seed, and for how long there is no broker."""
    add_storm_options(parser)
    parser.addoption(
        "--away", type=int, default=60, help="seconds that live mode has no broker (default: 60)"
    )


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[KafkaCluster]:
    """Return three brokers to kill."""
    directory = tmp_path / "brokers"
    directory.mkdir()
    with kafka_cluster(kafka_home(), directory, properties=PROPERTIES, heap=HEAP) as cluster:
        yield cluster


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Broker]:
    """Return a broker to kill."""
    directory = tmp_path / "broker"
    directory.mkdir()
    with running_broker(Broker, directory) as broker:
        yield broker
