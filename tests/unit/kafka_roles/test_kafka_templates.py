"""What the role kafka renders, with every undefined variable an error."""

from __future__ import annotations

import subprocess
from pathlib import Path

import jinja2
import pytest
import yaml

ROLE = Path(__file__).resolve().parents[3] / "roles/kafka"
VALUES = {
    "kafka_version": "4.3.1",
    "kafka_node_id": 1,
    "kafka_address": "172.29.0.1",
    "kafka_port": 9092,
    "kafka_controller_port": 9093,
    "kafka_data_dir": "/var/lib/kafka",
    "kafka_heap": "1g",
    "kafka_log_retention_hours": 168,
    "kafka_replication_factor": 1,
    "kafka_extra_properties": {},
    "kafka_limit_nofile": 16384,
    "kafka_address_timeout": 120,
    "kafka_stop_timeout": 30,
    "_kafka_is_controller": True,
    "_kafka_controllers": ["172.29.0.1:9093"],
    "_kafka_min_isr": 1,
    "_kafka_log_dir": "/var/lib/kafka/data",
    "_kafka_tree": "/opt/kafka-4.3.1",
    "ansible_facts": {"systemd": {"version": 257}},
}


def render(name: str, **changes: object) -> str:
    """Return a template of the role as Ansible renders it."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROLE / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  no HTML
    )
    return environment.get_template(name).render(VALUES | changes)


def properties(**changes: object) -> dict[str, str]:
    """Return the rendered server.properties as a map."""
    lines = render("server.properties.j2", **changes).splitlines()
    pairs = [line.split("=", 1) for line in lines if line and not line.startswith("#")]
    assert len({key for key, _ in pairs}) == len(pairs), "a setting stands twice"
    return dict(pairs)


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
    assert found["listeners"] == "PLAINTEXT://172.29.0.2:9092"
    assert found["controller.quorum.bootstrap.servers"] == "172.29.0.1:9093"


def test_topics_are_never_made_by_a_misspelt_name() -> None:
    """Topics come from the inventory only."""
    assert properties()["auto.create.topics.enable"] == "false"


def test_extra_properties_are_written_as_kafka_reads_them() -> None:
    """A boolean is in lower case."""
    found = properties(kafka_extra_properties={"a.b": True, "c.d": 5})
    assert (found["a.b"], found["c.d"]) == ("true", "5")


def test_internal_topics_have_the_given_replicas() -> None:
    """One number for all internal topics."""
    found = properties(kafka_replication_factor=3, _kafka_min_isr=2)
    keys = [key for key in found if key.endswith("replication.factor")]
    assert len(keys) == 4
    assert {found[key] for key in keys} == {"3"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("User", "kafka"),
        ("ProtectSystem", "strict"),
        ("ReadWritePaths", "/var/lib/kafka"),
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
