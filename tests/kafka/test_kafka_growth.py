"""Brokers join and leave a cluster that is written to, controllers too, the first one as well."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from kafka.errors import KafkaError

from tests.kafka.growth import Growth, copies
from tests.kafka.kafka_broker import PATIENCE, kafka_home
from tests.kafka.kafka_cluster import kafka_cluster
from tests.kafka.spread_calls import records, replicas
from tests.kafka.steady_producer import Sent, steady_producer

pytestmark = pytest.mark.long
TOPIC = "grown"


@contextmanager
def written_to(folder: Path) -> Iterator[tuple[Growth, Sent]]:
    """Run one broker that a producer writes to without a pause; nothing is lost, or stands twice.

    Raises:
        AssertionError: something is.

    """
    home = kafka_home()
    with kafka_cluster(home, folder, brokers=1) as cluster:
        cluster.create_topic(TOPIC, partitions=4, copies=1)
        with steady_producer(cluster.bootstrap, TOPIC) as sent:
            yield Growth(cluster, home, folder), sent
        assert sent.refused == []
        assert records(cluster, TOPIC) == Counter(sent.acknowledged)


def assert_laid_out(growth: Growth, sent: Sent, voters: set[int]) -> None:
    """All copies are where they shall be, Kafka's own too, and rows went on meanwhile."""
    numbers = set(growth.cluster.members)
    laid = replicas(growth.cluster)
    assert {TOPIC, "__consumer_offsets"} <= laid.keys()
    for held, leader in (part for parts in laid.values() for part in parts):
        assert len(held) == copies(len(numbers)), laid
        assert {leader, *held} <= numbers, laid
    assert growth.cluster.voters() == voters
    assert growth.cluster.up() == numbers
    sent_before = len(sent.acknowledged)
    growth.stands(numbers)
    deadline = time.monotonic() + PATIENCE
    while len(sent.acknowledged) == sent_before:
        assert time.monotonic() < deadline, "nothing is acknowledged any more"
        time.sleep(0.1)


def until_fenced(growth: Growth, number: int) -> None:
    """Wait until a killed broker's session is over: until then the others name it to clients."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(KafkaError):
            if number not in growth.cluster.up():
                return
        time.sleep(0.5)
    pytest.fail("its session does not end")


def test_the_first_broker_s_place_is_taken_by_another(tmp_path: Path) -> None:
    """The only controller's too, which votes until the other does."""
    with written_to(tmp_path) as (growth, sent):
        growth.grow(2)
        assert_laid_out(growth, sent, {1})
        found = growth.shrink(1)
        assert found["unregistered"] == ["kafka-1"]
        assert_laid_out(growth, sent, {2})


def test_one_becomes_three_becomes_five_becomes_three_becomes_one(tmp_path: Path) -> None:
    """The oldest leave, so that in the end none is left that was there before."""
    with written_to(tmp_path) as (growth, sent):
        growth.grow(2, 3)
        assert_laid_out(growth, sent, {1, 2, 3})
        growth.grow(4, 5)
        assert_laid_out(growth, sent, {1, 2, 3, 4, 5})
        growth.shrink(1, 2)
        assert_laid_out(growth, sent, {3, 4, 5})
        growth.shrink(3, 4)
        assert_laid_out(growth, sent, {5})


def test_a_broker_that_died_is_taken_out_like_any_other(tmp_path: Path) -> None:
    """Its copies are made of the others', and its vote is taken first."""
    with written_to(tmp_path) as (growth, sent):
        growth.grow(2, 3, 4)
        assert_laid_out(growth, sent, {1, 2, 3})
        growth.cluster.kill(1)
        until_fenced(growth, 1)
        leaving = {"leaving": ["kafka-1"], "controllers": []}
        growth.stands(growth.cluster.members, **leaving)
        growth.shrink(1, dead=[1])
        assert_laid_out(growth, sent, {2, 3, 4})
