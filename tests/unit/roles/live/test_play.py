"""The role as Ansible plays it: what it would lay down on nodes that have nothing yet."""

import sys
from pathlib import Path
from typing import Any

import yaml

from tests.support.playbooks import Result, play


def inventory(folder: Path, agents: list[str]) -> Path:
    """Return an inventory of four hosts, all of them this machine: k1, c1, c2 and a1."""
    hosts: dict[str, dict[str, Any]]
    hosts = {name: {"zerotier_ip": f"172.29.0.{i}"} for i, name in enumerate(("k1", "c1", "c2"), 1)}
    hosts["a1"] = {"zerotier_ip": "172.29.0.9", "agent_interval_seconds": 30}
    groups = {
        "kafka": ["k1"],
        "producers": ["k1"],
        "consumers_cpu_mem": ["c1", "c2"],
        "consumers_net_disk": ["c1"],
        "agents": agents,
    }
    content = {
        "vars": {
            "ansible_connection": "local",
            "ansible_become": False,
            "ansible_python_interpreter": sys.executable,
            "agent_signed": True,
            "zerotier_network_cidr": "172.29.0.0/24",
        },
        "hosts": hosts,
        "children": {name: {"hosts": dict.fromkeys(of, None)} for name, of in groups.items()},
    }
    path = folder / "hosts.yml"
    path.write_text(yaml.safe_dump({"all": content}), encoding="utf-8")
    return path


def check(folder: Path, playbook: str, *agents: str, **extra: object) -> Result:
    """Play in check mode."""
    path = inventory(folder, [*agents])
    return play(f"playbooks/{playbook}", "--check", "--diff", inventory=path, extra=extra)


def test_each_consumer_gets_the_units_of_its_groups(tmp_path: Path) -> None:
    """In check mode, on nodes that have nothing."""
    done = check(tmp_path, "live.yml", "a1", "c1")
    assert done.status == 0, done.tail()
    for group, hosts in (("cpu_mem", 2), ("net_disk", 1)):
        for name in ("server-monitoring-detect-{}.service", "sm-analyze-{}@.service"):
            path = f"+++ after: /etc/systemd/system/{name.format(group)}\n"
            assert done.output.count(path) == hosts, path
    assert "Requires=sm-analyze-cpu_mem@%i.service sm-analyze-net_disk@%i.service" in done.output
    assert "LoadCredential=signing.json:" in done.output
    assert '+exit "$status"\n' in done.output, "the last line of the program that closes days"
    changed = done.changed()
    assert changed["c1"] > 0
    assert (changed["k1"], changed["a1"]) == (0, 0)


def test_nothing_is_live_where_no_server_is_watched(tmp_path: Path) -> None:
    """And nothing is changed on nodes that have nothing of it."""
    done = check(tmp_path, "live.yml")
    assert done.status == 0, done.tail()
    assert set(done.changed().values()) == {0}


def test_settings_are_checked_before_any_change(tmp_path: Path) -> None:
    """In a line each, by the names that the inventory knows."""
    done = check(tmp_path, "validate.yml", "a1", live_for_windows=0)
    assert done.status != 0
    assert done.says("inventory: live_for_windows: found 0, expected"), done.tail()
    wrong = {"live_close_at": "9", "live_silence_seconds": 30, "live_alerts_keep_days": 3}
    done = check(tmp_path, "validate.yml", "a1", **wrong)
    assert done.status != 0
    for name, value in wrong.items():
        assert done.says(f"inventory: {name}: found {value}, expected"), done.tail()


def test_a_day_that_cannot_be_closed_is_told_in_a_line(tmp_path: Path) -> None:
    """Before any host is asked."""
    done = check(tmp_path, "live_close.yml", "a1", day="foo")
    assert done.status != 0
    assert done.says("failed: localhost: day: found 'foo', expected a day in UTC"), done.tail()
    assert "c1" not in done.changed()


def test_nothing_is_said_of_units_that_are_well(tmp_path: Path) -> None:
    """Also what would be said is worked out then."""
    tasks = [{"ansible.builtin.import_role": {"name": "live", "tasks_from": "verify.yml"}}]
    settings = {"_live_services": [], "_live_is_stopped": False, "live_connect_timeout": 1}
    path = tmp_path / "verify.yml"
    of = {"hosts": "c1", "gather_facts": False, "vars": settings, "tasks": tasks}
    path.write_text(yaml.safe_dump([of]), encoding="utf-8")
    done = play(str(path), inventory=inventory(tmp_path, ["a1"]), extra=settings)
    assert done.status == 0, done.tail()
