"""Each watched server's agent is at work, closed in, and gone again once nobody wants it."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from testinfra.host import Host

from tests.infra.listening import listeners, writable
from tests.infra.nodes import members
from tests.support.playbooks import Result, play
from tests.support.project import PROJECT

GROUPS = "agents"
UNIT = "server-monitoring-agent.service"
DATA = "/var/lib/server-monitoring-agent"


def shown(host: Host, name: str) -> str:
    """Return a property of the unit as systemd shows it."""
    return str(host.check_output(f"systemctl show {UNIT} --property={name} --value"))


def wait_for(what: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_agent_runs_and_has_lost_nothing(host: Host) -> None:
    """Also after a boot; it is connected, and its counters are in its status."""
    assert host.service(UNIT).is_enabled
    assert host.service(UNIT).is_running
    wait_for(lambda: "; sampled 20" in shown(host, "StatusText"))
    status = shown(host, "StatusText")
    assert status.startswith("connected; "), status
    assert "0 dropped, 0 torn" in status
    assert "0 unreadable" in status


def test_agent_is_closed_in(host: Host) -> None:
    """A user that no other unit has, its own folder to write in, and nothing that listens."""
    pid = int(shown(host, "MainPID"))
    assert host.check_output(f"ps -o user= -p {pid}") == "sm-agent"
    assert (host.user("sm-agent").shell, host.user("sm-agent").home) == (
        "/usr/sbin/nologin",
        "/nonexistent",
    )
    places = ["/etc", "/opt", "/var/lib", "/etc/server-monitoring", "/var/lib/server-monitoring"]
    assert writable(host, pid, [*places, DATA]) == [DATA]
    assert [s for s in listeners(host) if s.pid == pid] == []
    state = host.check_output(f"stat --format='%U %a' {DATA}")
    assert state == "sm-agent 700"


def test_agent_s_files_are_its_group_s_and_root_s(host: Host, node: str) -> None:
    """It may not change its configuration, and credentials are root's."""
    config = host.file("/etc/server-monitoring/agent.yml")
    assert (config.user, config.group, config.mode) == ("root", "server-monitoring", 0o640)
    assert re.search(rf"^server_id: {re.escape(node)}$", config.content_string, re.MULTILINE)


def test_killed_agent_goes_on(host: Host) -> None:
    """By itself, and what it had sampled arrives."""
    before = shown(host, "MainPID")
    host.check_output(f"kill -9 {before}")
    wait_for(lambda: shown(host, "MainPID") not in (before, "0"))
    wait_for(lambda: shown(host, "StatusText").startswith("connected; "))
    assert "0 dropped, 0 torn" in shown(host, "StatusText")


def test_host_out_of_the_group_loses_its_agent(
    host: Host, node: str, pytestconfig: pytest.Config
) -> None:
    """Unit, user, spool, credentials; back in the group it has them, and then nothing changes."""
    path = pytestconfig.getoption("ansible_inventory")
    if node != members(path, GROUPS)[-1]:
        pytest.skip("one host tells it")

    def agents(inventory: Path | str, *more: str) -> Result:
        done = play("playbooks/agents.yml", "--limit", node, *more, inventory=Path(inventory))
        assert done.status == 0, done.tail()
        return done

    # The same nodes, none of which is watched.
    unwatched = PROJECT / "inventory" / "lab"
    assert agents(unwatched, "--check").changed()[node] > 0
    assert host.service(UNIT).is_running
    agents(unwatched)
    credentials = f"/etc/server-monitoring/credentials/agent_{node}.json"
    for left in (
        f"/etc/systemd/system/{UNIT}",
        DATA,
        credentials,
        "/etc/server-monitoring/agent.yml",
    ):
        assert not host.file(left).exists, left
    assert not host.user("sm-agent").exists
    assert not host.service(UNIT).is_running
    assert agents(unwatched).changed()[node] == 0

    done = play("playbooks/kafka_access.yml", inventory=Path(path))
    assert done.status == 0, done.tail()
    agents(path)
    assert agents(path).changed()[node] == 0
    assert shown(host, "StatusText").startswith("connected")
