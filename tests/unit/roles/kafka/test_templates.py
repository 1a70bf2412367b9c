"""What the role kafka renders, with every undefined variable an error."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.kafka_templates import ROLE, properties, render


def unit(**changes: object) -> dict[str, dict[str, list[str]]]:
    """Return the rendered unit: section -> key -> values in order."""
    sections: dict[str, dict[str, list[str]]] = {}
    for line in render("kafka.service.j2", **changes).splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, value = line.split("=", 1)
            section.setdefault(key, []).append(value)
    return sections


def test_open_access_renders_what_it_always_has() -> None:
    """Whoever leaves access open gets the same file, byte for byte, and so no restart."""
    expected = Path(__file__).with_name("plain.properties").read_text(encoding="utf-8")
    assert render("server.properties.j2") == expected


def test_restricted_access_leaves_no_listener_in_plain_text() -> None:
    """Three listeners on the overlay's address alone, each with TLS 1.3, which is checked."""
    found = properties(kafka_access_enabled=True)
    three = "CLIENT://172.29.0.1:9092,BROKER://172.29.0.1:9094,CONTROLLER://172.29.0.1:9093"
    assert (found["listeners"], found["advertised.listeners"]) == (three, three)
    protocols = found["listener.security.protocol.map"]
    assert protocols == "CLIENT:SASL_SSL,BROKER:SSL,CONTROLLER:SSL"
    assert found["inter.broker.listener.name"] == "BROKER"
    assert found["ssl.enabled.protocols"] == found["ssl.protocol"] == "TLSv1.3"
    assert found["ssl.endpoint.identification.algorithm"] == "https"
    assert found["sasl.enabled.mechanisms"] == "SCRAM-SHA-512"
    assert "PLAINTEXT" not in render("server.properties.j2", kafka_access_enabled=True)


def test_restricted_access_denies_what_no_rule_allows() -> None:
    """The brokers' own principals are the only super users."""
    found = properties(kafka_access_enabled=True)
    assert found["authorizer.class.name"].endswith(".StandardAuthorizer")
    assert found["allow.everyone.if.no.acl.found"] == "false"
    assert found["super.users"] == "User:kafka-1;User:kafka-2"
    for listener in ("broker", "controller"):
        assert found[f"listener.name.{listener}.ssl.client.auth"] == "required"


@pytest.mark.parametrize(
    ("subject", "user"),
    [("CN=kafka-1", "kafka-1"), ("CN=kafka-1,O=Some,C=XX", "kafka-1"), ("O=x\\,CN=kafka-1", None)],
)
def test_a_certificate_is_known_by_its_common_name(subject: str, user: str | None) -> None:
    """Only where the subject begins with it: no other part of a name can claim to be a broker."""
    rule = properties(kafka_access_enabled=True)["ssl.principal.mapping.rules"]
    pattern = rule.removeprefix("RULE:").removesuffix("/$1/,DEFAULT")
    match = re.fullmatch(pattern, subject)
    assert (match[1] if match else None) == user


def test_administration_speaks_as_the_broker() -> None:
    """Its settings name the same stores as the broker's, and TLS 1.3."""
    text = render("admin.properties.j2")
    found = dict(line.split("=", 1) for line in text.splitlines() if not line.startswith("#"))
    broker = properties(kafka_access_enabled=True)
    assert found.pop("security.protocol") == "SSL"
    assert found == {key: broker[key] for key in found}


def test_every_listener_is_on_the_overlay() -> None:
    """No listener and no advertised address names anything but the overlay's address."""
    found = properties()
    both = "PLAINTEXT://172.29.0.1:9092,CONTROLLER://172.29.0.1:9093"
    assert found["listeners"] == both
    assert found["advertised.listeners"] == both
    assert found["controller.quorum.bootstrap.servers"] == "172.29.0.1:9093"


def test_a_further_broker_has_no_controller_listener() -> None:
    """It finds the quorum at the first host's address."""
    found = properties(_kafka_is_controller=False, kafka_address="172.29.0.2", kafka_node_id=2)
    assert found["process.roles"] == "broker"
    # Of a broker alone Kafka takes it for a mistake, and does not start.
    assert "controller.quorum.auto.join.enable" not in found
    assert found["listeners"] == "PLAINTEXT://172.29.0.2:9092"
    assert found["controller.quorum.bootstrap.servers"] == "172.29.0.1:9093"


def test_a_controller_that_shall_vote_no_more_does_not_join_again() -> None:
    """Kafka would let it, as soon as it was removed."""
    key = "controller.quorum.auto.join.enable"
    assert properties()[key] == "true"
    found = properties(_kafka_joins=False)
    assert (found[key], found["process.roles"]) == ("false", "broker,controller")


def test_several_controllers_know_each_other_by_names() -> None:
    """Which stay when addresses change; they listen on the overlay's address all the same."""
    names = {"kafka-1": "node-1.kafka.internal", "kafka-2": "node-2.kafka.internal"}
    found = properties(_kafka_controller_name=names["kafka-1"])
    assert found["listeners"].endswith(",CONTROLLER://172.29.0.1:9093")
    assert found["advertised.listeners"].endswith(",CONTROLLER://node-1.kafka.internal:9093")
    hosts = "-Djdk.net.hosts.file=/etc/kafka/hosts"
    assert hosts in unit(_kafka_cluster_controller_names=names)["Service"]["ExecStart"][0]
    assert hosts not in unit()["Service"]["ExecStart"][0]


def test_a_rack_is_named_where_there_is_one() -> None:
    """An empty one would be a rack too."""
    assert "broker.rack" not in properties()
    assert properties(kafka_rack="row-2")["broker.rack"] == "row-2"


def test_topics_are_never_made_by_a_misspelt_name() -> None:
    """Topics come from the inventory only."""
    assert properties()["auto.create.topics.enable"] == "false"


def test_extra_properties_are_written_as_kafka_reads_them() -> None:
    """A boolean is in lower case."""
    found = properties(kafka_extra_properties={"a.b": True, "c.d": 5})
    assert (found["a.b"], found["c.d"]) == ("true", "5")


def test_internal_topics_have_the_given_replicas() -> None:
    """One number for all internal topics."""
    found = properties(kafka_replication_factor=3, _kafka_cluster_min_isr=2)
    keys = [key for key in found if key.endswith("replication.factor")]
    assert len(keys) == 4
    assert {found[key] for key in keys} == {"3"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("User", "kafka"),
        ("ProtectSystem", "strict"),
        ("ReadWritePaths", "/var/lib/kafka/data /var/lib/kafka/tmp"),
        ("ProtectHome", "true"),
        ("PrivateTmp", "true"),
        ("PrivateDevices", "true"),
        ("NoNewPrivileges", "true"),
        ("CapabilityBoundingSet", ""),
        ("UMask", "0077"),
        ("Restart", "on-failure"),
        ("LimitNOFILE", "16384"),
    ],
)
def test_the_unit_has_the_setting(key: str, value: str) -> None:
    """Each setting stands once, with this value."""
    assert unit()["Service"][key] == [value]


def test_the_unit_s_start_may_last_longer_than_its_wait() -> None:
    """Otherwise systemd would kill the wait before it can say what it misses."""
    service = unit(kafka_address_timeout=300)["Service"]
    assert service["ExecStartPre"][0].endswith(" 172.29.0.1 300")
    assert int(service["TimeoutStartSec"][0]) > 300


def test_records_carry_the_broker_s_time() -> None:
    """A producer's clock of next week would have its records refused, one of last week lost."""
    assert properties()["log.message.timestamp.type"] == "LogAppendTime"


def test_the_unit_is_started_again_for_ever_and_as_soon_each_time() -> None:
    """Growing delays of systemd would make the tenth outage of a long life last a minute."""
    assert unit()["Unit"]["StartLimitIntervalSec"] == ["0"]
    assert unit()["Service"]["RestartSec"] == ["2"]
    assert "RestartSteps" not in unit()["Service"]


def test_the_unit_has_no_remote_management_and_no_log_files() -> None:
    """JMX is off, and neither GC logs nor the shipped logging configuration are in use."""
    start = unit()["Service"]["ExecStart"][0]
    assert "jmx" not in start
    assert "Xlog" not in start
    assert "/etc/kafka/log4j2.yaml" in start


def test_logging_goes_to_the_console_only() -> None:
    """One appender, which the journal reads."""
    found = yaml.safe_load(render("log4j2.yaml.j2"))["Configuration"]
    assert list(found["Appenders"]) == ["Console"]
    assert found["Loggers"]["Root"]["AppenderRef"]["ref"] == found["Appenders"]["Console"]["name"]


def wait(tmp_path: Path, address: str, seconds: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the wait against a table in which 172.29.0.11 is local and 172.29.0.0 is a network."""
    table = tmp_path / "fib_trie"
    table.write_text(
        "Local:\n  +-- 172.29.0.0/24 2 0 2\n     |-- 172.29.0.0\n        /24 link UNICAST\n"
        "     |-- 172.29.0.11\n        /32 host LOCAL\n"
    )
    return subprocess.run(
        ["sh", ROLE / "files/kafka-wait-for-address", address, str(seconds)],
        env={"PATH": "/usr/bin:/bin", "KAFKA_ADDRESS_TABLE": str(table)},
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )


def test_the_wait_ends_at_once_when_the_address_is_there(tmp_path: Path) -> None:
    """A local address is found, and nothing is printed."""
    done = wait(tmp_path, "172.29.0.11")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("address", ["172.29.0.1", "172.29.0.0", "172.29.0.111", "172129.0.11"])
def test_the_wait_is_not_content_with_a_similar_address(tmp_path: Path, address: str) -> None:
    """Neither a prefix nor a network counts; the failure names the address in one line."""
    done = wait(tmp_path, address)
    assert done.returncode == 1
    assert f"kafka: {address} is on no interface after 0 s" in done.stderr
    assert done.stderr.count("\n") == 1
