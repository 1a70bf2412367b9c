"""The module kafka_answer: who may administrate hears which brokers are up, or why none answers."""

from typing import Any

from tests.kafka.access_broker import AccessBroker
from tests.kafka.kafka_broker import free_port
from tests.kafka.kafka_module import run_module


def answer(broker: AccessBroker, **arguments: Any) -> dict[str, Any]:
    """Run the module and return its result."""
    given = {key: broker.arguments()[key] for key in ("bootstrap_servers", "admin_properties")}
    return run_module("kafka_answer", given | {"timeout": 5} | arguments)


def test_broker_answers_its_administrator(access_broker: AccessBroker) -> None:
    """Its id is named, and nothing has changed."""
    found = answer(access_broker)
    assert (found["changed"], found["brokers"]) == (False, [1])


def test_silence_is_one_line_with_the_address(access_broker: AccessBroker) -> None:
    """After the time that it was given."""
    nobody = f"127.0.0.1:{free_port()}"
    found = answer(access_broker, bootstrap_servers=[nobody], timeout=1)
    assert found["failed"]
    assert found["msg"].startswith(f"{nobody}: ")
    assert "see whether kafka.service is active" in found["msg"]
    assert "\n" not in found["msg"]
