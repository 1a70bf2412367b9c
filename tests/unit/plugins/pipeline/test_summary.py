"""The table that ends provisioning: what stands where, in which version."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.server_monitoring.cluster.plugins.filter import pipeline_summary as module

from tests.support.project import PROJECT

# What the roles have registered when they verified what they installed.
HEARD = {
    "__kafka_runs": {"said": {"jar": {"out": "/opt/kafka-4.3.1/libs/*"}}},
    "java_version": "21.0.13",
    "__spark_version": {"said": {"spark": {"out": "4.3.0"}}},
    "__app_version": {"said": {"app": {"out": "server-monitoring 0.1.0"}}},
    "__zerotier_node": {"version": "1.14.1", "package_version": "1.14.1"},
}


def host(*groups: str, **other: Any) -> dict[str, Any]:
    """Return the variables of a host of some groups, all programs heard but for `other`."""
    return {
        "inventory_hostname": "h1",
        "group_names": list(groups),
        "zerotier_ip": "172.29.0.1",
        "__pipeline_programs": {"skipped": True},
        **HEARD,
        **other,
    }


def asked(*lines: str) -> dict[str, Any]:
    """Return the variables of a host whose programs were asked, as nothing was heard of them."""
    return {name: {} for name in HEARD} | {"__pipeline_programs": {"stdout_lines": list(lines)}}


@pytest.mark.parametrize(
    ("groups", "services", "versions"),
    [
        (["kafka"], "Kafka broker", "Kafka 4.3.1, Java 21.0.13, ZeroTier 1.14.1"),
        (["producers"], "producer", "app 0.1.0, ZeroTier 1.14.1"),
        (
            ["consumers_disk"],
            "consumer of disk",
            "Java 21.0.13, Spark 4.3.0, app 0.1.0, ZeroTier 1.14.1",
        ),
        (["zerotier_controller"], "ZeroTier controller", "ZeroTier 1.14.1"),
        (["lab"], "-", "ZeroTier 1.14.1"),
        (
            ["kafka", "producers", "zerotier_controller", "zerotier_moons"],
            "ZeroTier controller, ZeroTier root, Kafka broker, producer",
            "Kafka 4.3.1, Java 21.0.13, app 0.1.0, ZeroTier 1.14.1",
        ),
    ],
)
def test_host_shows_what_its_groups_need(groups: list[str], services: str, versions: str) -> None:
    """Groups are functions; Java that a producer happens to have is none of it."""
    assert module.host_row(host(*groups))[3:] == (services, versions)


def test_host_shows_both_its_addresses() -> None:
    """How Ansible reaches it, by its name where nothing else is said, and on the overlay."""
    assert module.host_row(host())[:3] == ("h1", "h1", "172.29.0.1")
    reached = module.host_row(host(ansible_host="127.0.0.1", ansible_port=2201))
    assert reached[:3] == ("h1", "127.0.0.1:2201", "172.29.0.1")


def test_what_was_not_heard_is_asked_for_and_no_more() -> None:
    """A run of everything has heard all that a host's row shows; one of the summary nothing."""
    assert module.untold(host("kafka", "consumers_disk", "producers")) == []
    assert module.untold(host("kafka", **asked())) == ["Kafka", "Java", "ZeroTier", "package"]
    assert module.untold(host("producers", __app_version={"skipped": True})) == ["app"]
    assert module.untold(host("producers", __kafka_runs={})) == []


def test_what_is_not_there_yet_is_said_gently() -> None:
    """Only programs that answered have a line."""
    shown = module.host_row(host("kafka", **asked('Java\topenjdk version "21.0.13"')))[4]
    assert shown == "Kafka not installed yet, Java 21.0.13, ZeroTier not installed yet"


def test_answer_counts_before_what_was_heard() -> None:
    """It is the later one."""
    said = {"__pipeline_programs": {"stdout_lines": ["Kafka\tkafka-4.3.2", "odd line"]}}
    assert module.host_row(host("kafka", **said))[4].startswith("Kafka 4.3.2, Java 21.0.13")


def test_double_of_the_overlay_is_named() -> None:
    """Nobody takes the lab's double for ZeroTier."""
    node = {"version": "1.14.1", "package_version": "1.14.1+double"}
    assert module.host_row(host(__zerotier_node=node))[4] == "ZeroTier 1.14.1 (the lab's double)"


def test_service_that_was_restarted_for_a_new_package_shows_its_new_version() -> None:
    """It was heard before the restart and after it."""
    shown = module.host_row(host(__zerotier_restarted={"version": "1.14.2"}))[4]
    assert shown == "ZeroTier 1.14.2"


def test_table_has_columns_as_wide_as_their_widest_cell() -> None:
    """And no blanks at the ends of lines."""
    table = module.hosts_table([("a", "10.0.0.1:22", "1", "-", "x"), ("bcdef", "b", "2", "s", "")])
    assert table.splitlines() == [
        "host   reached at   on the overlay  services  versions",
        "a      10.0.0.1:22  1               -         x",
        "bcdef  b            2               s",
    ]


@pytest.mark.parametrize("mode", [[], ["--check"]])
def test_playbook_shows_a_bare_machine_and_changes_nothing(tmp_path: Path, mode: list[str]) -> None:
    """Where nothing is installed the table says so, in check mode too."""
    inventory = {
        "all": {
            "hosts": {"node-1": {"zerotier_ip": "172.29.0.9"}},
            "children": {"kafka": {"hosts": {"node-1": None}}},
            "vars": {
                "ansible_connection": "local",
                "ansible_python_interpreter": sys.executable,
                "ansible_become": False,
            },
        }
    }
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    done = subprocess.run(
        ["ansible-playbook", "-i", tmp_path / "hosts.yml", "playbooks/summary.yml", *mode],
        cwd=PROJECT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    [msg] = [line for line in done.stdout.splitlines() if '"msg"' in line]
    shown = json.loads("{" + msg.strip() + "}")["msg"].splitlines()
    assert shown[0].split()[0] == "host"
    assert shown[1].startswith(
        "node-1  node-1      172.29.0.9      Kafka broker  Kafka not installed"
    )
    assert "changed=0" in done.stdout
    assert "ok=2" in done.stdout
