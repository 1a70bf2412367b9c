"""The agent's unit as systemd reads it: always at work, and closed in."""

import jinja2
import pytest

from tests.support.project import PROJECT

ROLES = PROJECT / "roles"
VALUES = {
    "ansible_managed": "Ansible managed",
    "inventory_hostname": "web-1.example.org",
    "kafka_access_enabled": True,
    "kafka_access_credentials_dir": "/etc/server-monitoring/credentials",
    "agent_signed": False,
    "agent_memory_max": "128M",
    "agent_tasks_max": 32,
    "pipeline_data_dir": "/var/lib/server-monitoring",
    "pipeline_client_memory_max": "512M",
    "pipeline_client_tasks_max": 64,
    "_agent_user": "sm-agent",
    "_agent_state": "server-monitoring-agent",
    "_kafka_cluster_live_mark": "/etc/server-monitoring/live.stopped",
    "_kafka_cluster_addresses": ["172.29.0.1", "172.29.0.2"],
}


def directives(name: str, changes: dict[str, object]) -> dict[str, list[str]]:
    """Return the directives of a template of roles/ with all their values."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([ROLES, PROJECT]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        autoescape=False,  # noqa: S701  no HTML
    )
    environment.filters["bool"] = bool
    found: dict[str, list[str]] = {}
    for line in environment.get_template(name).render(VALUES | changes).splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def unit(**changes: object) -> dict[str, list[str]]:
    """Return the directives of the unit."""
    return directives("agent/templates/server-monitoring-agent.service.j2", changes)


def test_the_agent_is_always_at_work() -> None:
    """Also after an end that it gave a reason for, such as 11, however often; unless stopped."""
    found = unit()
    assert found["ConditionPathExists"] == ["!/etc/server-monitoring/live.stopped"]
    assert found["Restart"] == ["always"]
    assert found["StartLimitIntervalSec"] == ["0"]
    assert "RestartPreventExitStatus" not in found
    assert found["WantedBy"] == ["multi-user.target"]
    assert found["Type"] == ["notify"]


def test_the_agent_has_the_sandbox_of_a_run_s_units_and_sees_what_it_samples() -> None:
    """A user of its own, a folder of its own, and no run's data, which its group may read."""
    found, own = unit(), {"User", "ReadWritePaths", "MemoryMax", "TasksMax", "Environment"}
    sandbox = directives("pipeline/templates/sandbox.j2", {"user": "x", "writable": "y"})
    assert {key: found[key] for key in set(sandbox) - own} == {
        key: sandbox[key] for key in set(sandbox) - own
    }
    assert found["User"] == ["sm-agent"]
    assert found["ReadWritePaths"] == [""]
    assert found["StateDirectory"] == ["server-monitoring-agent"]
    assert found["InaccessiblePaths"] == ["-/var/lib/server-monitoring"]
    assert (found["MemoryMax"], found["TasksMax"]) == (["128M"], ["32"])
    # /proc/stat, meminfo, net/dev and diskstats must be there.
    assert "ProcSubset" not in found
    assert "PrivateNetwork" not in found


@pytest.mark.parametrize("is_signed", [False, True])
def test_the_agent_logs_in_as_its_host_and_reaches_brokers_alone(*, is_signed: bool) -> None:
    """It has the key to sign with only where it does."""
    found, folder = unit(agent_signed=is_signed), "/etc/server-monitoring/credentials"
    account = f"kafka.json:{folder}/agent_web-1.example.org.json"
    key = [f"signing.key:{folder}/signing.key"] if is_signed else []
    assert found["LoadCredential"] == [account, *key]
    assert found["IPAddressDeny"] == ["any"]
    assert found["IPAddressAllow"] == ["172.29.0.1 172.29.0.2"]
    assert "LoadCredential" not in unit(kafka_access_enabled=False)
