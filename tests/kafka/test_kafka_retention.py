"""A topic that forgets before a run is over is refused before it begins."""

import uuid

import pytest

from tests.kafka.kafka_broker import Broker, create_topics
from tests.kafka.kafka_module import run_module

HOUR = 3600


@pytest.mark.parametrize(
    ("configs", "said"),
    [
        ({}, ""),
        ({"retention.ms": "-1", "retention.bytes": "-1"}, ""),
        ({"retention.ms": "10800000", "retention.bytes": "5000000"}, ""),
        ({"retention.ms": "10799999"}, "retention.ms: found 10799999, expected at least 10800000"),
        ({"retention.bytes": "4999999"}, "retention.bytes: found 4999999, expected at least 5"),
    ],
    ids=["default", "for ever", "just enough", "too short", "too little"],
)
def test_a_topic_keeps_what_a_run_needs(broker: Broker, configs: dict[str, str], said: str) -> None:
    """As the broker has it, by the topic's own setting or its default; one line says what to do."""
    topic = f"kept-{uuid.uuid4().hex[:8]}"
    create_topics(broker.address, {topic: 1}, **configs)
    asked = {"topics": [topic, "missing"], "seconds": 3 * HOUR, "bytes": 5_000_000}
    found = run_module("kafka_retention", {"bootstrap_servers": [broker.address], **asked})
    if said:
        assert found["msg"].startswith(f"topic {topic}: {said}")
        assert "\n" not in found["msg"]
    else:
        assert found["topics"] == [topic]
