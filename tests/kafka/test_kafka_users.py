"""The module kafka_access against a real broker: users and ACLs become as declared, and stay."""

import json
import os
import secrets
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka.admin import KafkaAdminClient

from tests.kafka.access_broker import AccessBroker, logs_in
from tests.kafka.authority import LOOPBACK
from tests.kafka.kafka_broker import create_topics, free_port
from tests.kafka.kafka_module import APP, run_module
from tests.support.project import PROJECT

TOPIC = {"resource": "topic", "name": "topic-cpu", "operations": ["read", "write"]}
Module = Callable[..., dict[str, Any]]


@pytest.fixture
def module(access_broker: AccessBroker) -> Iterator[Module]:
    """Return a function that runs the module, and leaves nobody behind."""

    def run(*, check: bool = False, app: Path = APP, **arguments: Any) -> dict[str, Any]:
        given = access_broker.arguments(**arguments) | {"_ansible_check_mode": check}
        return run_module("kafka_access", given, app)

    yield run
    run(users=[], passwords={})


def password() -> str:
    """Return a password as they are made."""
    return secrets.token_urlsafe(32)


def topics_seen(broker: AccessBroker, user: str, secret: str) -> list[str]:
    """Return the topics that a user may see, by the client that the app uses."""
    admin = KafkaAdminClient(
        bootstrap_servers=broker.clients,
        security_protocol="SASL_SSL",
        ssl_context=ssl.create_default_context(cafile=str(broker.authority.file)),
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username=user,
        sasl_plain_password=secret,
    )
    try:
        return sorted(admin.list_topics())
    finally:
        admin.close()


def test_users_are_made_once_and_kept(access_broker: AccessBroker, module: Module) -> None:
    """Check mode tells and does nothing, the first run does it, the second has nothing to do."""
    wanted: dict[str, Any] = {
        "users": [{"name": "producer", "acls": [TOPIC]}, {"name": "idle"}],
        "passwords": {"producer": password(), "idle": password()},
    }
    told = module(check=True, **wanted)
    assert told["changed"]
    assert not logs_in(access_broker, "producer", wanted["passwords"]["producer"])
    done = module(**wanted)
    assert done["passwords_set"] == ["idle", "producer"]
    assert done["acls_created"] == 2
    assert done["diff"] == told["diff"]
    for user, secret in wanted["passwords"].items():
        assert logs_in(access_broker, user, secret)
    create_topics(access_broker.address, {"topic-cpu": 1, "topic-net": 1})
    secrets_of = wanted["passwords"]
    assert topics_seen(access_broker, "producer", secrets_of["producer"]) == ["topic-cpu"]
    assert topics_seen(access_broker, "idle", secrets_of["idle"]) == []
    again = module(**wanted)
    assert not again["changed"]
    assert not module(check=True, **wanted)["changed"]


def test_a_password_is_changed_and_an_undeclared_user_removed(
    access_broker: AccessBroker, module: Module
) -> None:
    """The old password and the old user no longer log in; lines that nobody declared go."""
    old = {"producer": password(), "old": password()}
    module(
        users=[{"name": "producer", "acls": [TOPIC]}, {"name": "old", "acls": [TOPIC]}],
        passwords=old,
    )
    new = password()
    read = TOPIC | {"operations": ["read"]}
    wanted = {"users": [{"name": "producer", "acls": [read]}], "passwords": {"producer": new}}
    assert module(check=True, **wanted)["passwords_set"] == ["producer"]
    assert logs_in(access_broker, "producer", old["producer"])
    done = module(**wanted)
    assert done["credentials_retired"] == {"old": ["SCRAM-SHA-512"]}
    assert (done["acls_created"], done["acls_deleted"]) == (0, 3)
    assert logs_in(access_broker, "producer", new)
    assert not logs_in(access_broker, "producer", old["producer"])
    assert not logs_in(access_broker, "old", old["old"])
    assert not module(**wanted)["changed"]
    # A user that was deleted could take the others with it.
    access_broker.stop(hard=False)
    access_broker.start()
    assert logs_in(access_broker, "producer", new)
    assert not module(**wanted)["changed"]


def test_quotas_become_as_declared_and_others_go(module: Module) -> None:
    """Also after something else changed them; without any declared they are left alone."""
    secret = password()
    wanted: dict[str, Any] = {
        "users": [{"name": "producer"}],
        "passwords": {"producer": secret},
        "quotas": {"producer": {"producer_byte_rate": 1_000_000, "request_percentage": 50}},
        "connection_rates": {"default": 500, LOOPBACK: 1000},
    }
    told = module(check=True, **wanted)
    done = module(**wanted)
    whose = ["ip:127.0.0.1", "ip:default", "user:producer"]
    assert sorted(done["quotas_altered"]) == sorted(told["quotas_altered"]) == whose
    assert done["diff"] == told["diff"]
    assert not module(**wanted)["changed"]
    drifted = wanted["quotas"] | {"producer": {"consumer_byte_rate": 7}}
    module(**wanted | {"quotas": drifted, "connection_rates": {}})
    assert not module(users=wanted["users"], passwords=wanted["passwords"])["changed"]
    again = module(**wanted)
    assert sorted(again["quotas_altered"]) == whose
    assert again["diff"]["before"]["quotas of user:producer"]["consumer_byte_rate"] == 7.0
    module(users=[], passwords={}, quotas={}, connection_rates={})
    assert not module(users=[], passwords={}, quotas={}, connection_rates={})["changed"]


def test_no_password_is_printed(access_broker: AccessBroker, tmp_path: Path) -> None:
    """Neither with -vvv and --diff, nor when the broker is not reached."""
    secret = password()
    users = {"users": [{"name": "printed"}], "passwords": {"printed": secret}}
    lost = {"bootstrap_servers": [f"127.0.0.1:{free_port()}"]}
    tasks = [
        {"server_monitoring.cluster.kafka_access": access_broker.arguments(**users)},
        {
            "server_monitoring.cluster.kafka_access": access_broker.arguments(**users, **lost),
            "ignore_errors": True,
        },
    ]
    python = {"ansible_python_interpreter": sys.executable}
    play = {"hosts": "localhost", "gather_facts": False, "vars": python, "tasks": tasks}
    file = tmp_path / "play.json"
    file.write_text(json.dumps([play | {"connection": "local"}]))
    done = subprocess.run(
        ["ansible-playbook", "--inventory=localhost,", "--diff", "-vvv", file],
        env=os.environ
        | {
            "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / "collections"),
            "PYTHONPATH": str(APP),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert "the declared password" in done.stdout, done.stdout + done.stderr
    assert "Connection refused" in done.stdout
    assert secret not in done.stdout + done.stderr


def test_who_is_not_the_broker_may_not_administrate(
    access_broker: AccessBroker, module: Module, tmp_path: Path
) -> None:
    """A certificate of the same authority for another name is refused, in one line."""
    stranger = access_broker.authority.key_store("stranger", "127.0.0.1")
    file = tmp_path / "admin.properties"
    text = access_broker.admin_properties.read_text()
    file.write_text(text.replace("kafka-1-keystore", stranger.stem))
    refused = module(users=[], passwords={}, admin_properties=str(file))
    assert refused["failed"]
    assert "ClusterAuthorizationFailed" in refused["msg"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "No such file or directory: run the play of Kafka"),
        ("security.protocol=SSL\n", "found no ssl.keystore.location"),
        (
            "ssl.keystore.location=/nowhere\nssl.truststore.location=/nowhere\n",
            "/nowhere: cannot be used as a PEM store",
        ),
    ],
)
def test_unusable_properties_are_told_in_one_line(
    module: Module, tmp_path: Path, content: str | None, expected: str
) -> None:
    """Before anything is asked of a broker."""
    file = tmp_path / "admin.properties"
    if content is not None:
        file.write_text(content)
    answer = module(users=[], passwords={}, admin_properties=str(file))
    assert answer["failed"]
    assert expected in answer["msg"]
    assert "\n" not in answer["msg"]


def test_an_older_app_is_told_in_one_line(module: Module, tmp_path: Path) -> None:
    """It has no such login: whoever plays only this has not upgraded it yet."""
    older = tmp_path / "server_monitoring"
    older.mkdir()
    (older / "__init__.py").touch()
    answer = module(app=tmp_path, users=[], passwords={})
    assert answer["failed"]
    assert "found no app of this version (No module named 'server_monitoring." in answer["msg"]
    assert answer["msg"].endswith("run the app's play (playbooks/app.yml) first")
    assert not module(app=tmp_path, users=[], declarations_only=True).get("failed")


def test_a_bad_declaration_is_refused_before_the_broker_is_asked(module: Module) -> None:
    """Also without passwords, where they are not made yet."""
    answer = module(users=[{"name": "a"}], bootstrap_servers=["127.0.0.1:1"])
    assert answer["msg"].startswith("kafka_access_users: user a: password: found none")
    assert not module(users=[{"name": "a"}], declarations_only=True).get("failed")
    answer = module(users=[{"name": "kafka-1"}], declarations_only=True)
    assert answer["msg"].startswith("kafka_access_users: user kafka-1: found the name of a broker")
