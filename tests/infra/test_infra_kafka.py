"""The broker runs as its own user, closed in, on the overlay alone, with the topics as declared."""

import re
import shlex
from functools import partial
from typing import Any

import pytest
from testinfra.host import Host

from tests.infra.listening import listeners, writable
from tests.infra.nodes import members
from tests.infra.reaching import at_once

GROUPS = "kafka"
NO_LOGIN = ("/usr/sbin/nologin", "/nonexistent")
TOPICS = ("topic-cpu", "topic-disk", "topic-mem", "topic-net")


def main_pid(host: Host) -> int:
    """Return the broker's process id."""
    return int(host.check_output("systemctl show kafka --property=MainPID --value"))


def test_broker_runs_and_comes_back_after_a_boot(host: Host) -> None:
    """The unit is enabled and running."""
    assert host.service("kafka").is_enabled
    assert host.service("kafka").is_running


def test_broker_runs_as_a_user_without_login(host: Host) -> None:
    """The process belongs to `kafka`, who has no shell."""
    assert host.check_output(f"ps -o user= -p {main_pid(host)}") == "kafka"
    assert (host.user("kafka").shell, host.user("kafka").home) == NO_LOGIN


def test_broker_listens_on_the_overlay_address_alone(host: Host, variables: dict[str, Any]) -> None:
    """Ports 9092 to 9094 on the overlay's address, and no other socket of the process: no JMX."""
    own = {(s.address, s.port) for s in listeners(host) if s.pid == main_pid(host)}
    assert own == {(variables["zerotier_ip"], port) for port in (9092, 9093, 9094)}


def test_topics_are_as_declared(host: Host, admin: str, pytestconfig: pytest.Config) -> None:
    """The four topics have three partitions and one replica; others: the probe's and live ones."""
    described = host.check_output(f"/opt/kafka/bin/kafka-topics.sh {admin} --describe")
    for topic in TOPICS:
        assert re.search(
            rf"Topic: {topic}\s.*PartitionCount: 3\s+ReplicationFactor: 1\b", described
        )
    names = set(re.findall(r"^Topic: (\S+)", described, re.MULTILINE))
    others = {"server-monitoring-probe"}
    if members(pytestconfig.getoption("ansible_inventory"), "agents"):
        others |= {"topic-alerts", "topic-alert-state"}
    assert {n for n in names if not n.startswith("__")} == {*TOPICS, *others}


def test_topics_are_not_made_by_asking_for_them(host: Host, admin: str) -> None:
    """auto.create.topics.enable is off in the running broker."""
    described = host.check_output(
        f"/opt/kafka/bin/kafka-configs.sh {admin} --entity-type brokers "
        "--entity-name 1 --describe --all",
    )
    assert re.search(r"^\s*auto\.create\.topics\.enable=false ", described, re.MULTILINE)


def test_tools_work_without_arguments_about_class_paths(host: Host, admin: str) -> None:
    """The usual tools answer by their names alone, from a login shell."""
    tools = (
        f"kafka-consumer-groups.sh {admin} --list",
        f"kafka-get-offsets.sh {admin}",
        f"kafka-broker-api-versions.sh {admin}",
    )
    for done in at_once([partial(host.run, f"bash -lc '{tool}'") for tool in tools]):
        assert done.rc == 0, done.stderr


def test_versions_are_the_pinned_ones(host: Host) -> None:
    """The broker that runs is Kafka 4.3.1, and so are the tools, on Java 17 or newer."""
    tree = "/opt/kafka-4.3.1"
    assert host.file("/opt/kafka").linked_to == tree
    assert f"{tree}/libs/" in host.check_output(f"cat /proc/{main_pid(host)}/cmdline")
    assert host.file(f"{tree}/libs/kafka-server-4.3.1.jar").exists
    major = re.search(r'version "(\d+)', host.run("java -version").stderr)
    assert major is not None
    assert int(major[1]) >= 17


def test_files_are_owned_and_closed(host: Host) -> None:
    """Programs belong to root; data to kafka alone; the configuration is not for everybody."""
    tree = host.file("/opt/kafka").linked_to
    assert host.check_output(f"find {tree} ! -user root -o -perm /022 ! -type l") == ""
    for path, owner in (("/var/lib/kafka", "root"), ("/var/lib/kafka/data", "kafka")):
        data = host.file(path)
        assert (data.user, data.group, data.mode) == (owner, "kafka", 0o750)
    settings = host.file("/etc/kafka/server.properties")
    assert (settings.user, settings.group, settings.mode) == ("root", "kafka", 0o640)


def test_sandbox_is_really_in_effect(host: Host) -> None:
    """Seen from the broker even root writes nowhere but to its data; no capability is left."""
    pid, data = main_pid(host), ["/var/lib/kafka/data", "/var/lib/kafka/tmp"]
    others = ["/", "/usr", "/etc", "/opt", "/var/log", "/var/lib/kafka"]
    assert writable(host, pid, [*others, *data]) == data
    status = host.check_output(f"cat /proc/{pid}/status")
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
    assert re.search(r"^CapBnd:\s+0+$", status, re.MULTILINE)
    assert re.search(r"^Seccomp:\s+2$", status, re.MULTILINE)


@pytest.mark.long
def test_language_and_zone_of_the_machine_do_not_reach_the_broker(host: Host) -> None:
    """It starts on a machine that speaks Turkish, where the small letter of I is another one."""
    ours = {"LANG=C.UTF-8", "LC_ALL=C.UTF-8", "TZ=UTC"}
    host.check_output(
        "systemctl set-environment LANG=tr_TR.UTF-8 LC_ALL=tr_TR.UTF-8 TZ=Asia/Istanbul"
    )
    try:
        host.check_output("systemctl restart kafka")
        given = host.check_output(f"tr '\\0' '\\n' < /proc/{main_pid(host)}/environ").splitlines()
        assert {line for line in given if line.split("=")[0] in ("LANG", "LC_ALL", "TZ")} == ours
        port = "until ss -tln | grep -q ':9092 '; do sleep 1; done"
        host.check_output(f"timeout 60 sh -c {shlex.quote(port)}")
        assert host.service("kafka").is_running
    finally:
        host.check_output("systemctl unset-environment LANG LC_ALL TZ")
