"""The module kafka_answer: who may administrate hears which brokers are up, or why none answers."""

import json
import os
import subprocess
import sys
from typing import Any

from tests.kafka.access_broker import AccessBroker
from tests.kafka.kafka_broker import free_port
from tests.kafka.test_kafka_users import RUN
from tests.support.project import PLUGINS_PACKAGE, PROJECT


def answer(broker: AccessBroker, **arguments: Any) -> dict[str, Any]:
    """Run the module as Ansible does, in check mode too, and return what it printed."""
    given = {key: broker.arguments()[key] for key in ("bootstrap_servers", "admin_properties")}
    done = subprocess.run(
        [sys.executable, "-c", RUN, f"{PLUGINS_PACKAGE}.modules.kafka_answer"],
        env=os.environ | {"PYTHONPATH": str(PROJECT / "collections")},
        input=json.dumps({"ANSIBLE_MODULE_ARGS": given | {"timeout": 5} | arguments}),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


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
