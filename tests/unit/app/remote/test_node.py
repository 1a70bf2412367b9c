"""How a node is reached: as Ansible itself would, whose word the real one gives."""

import itertools
from pathlib import Path
from typing import Any

import pytest
import yaml
from server_monitoring.errors import ConfigError, UsageError
from server_monitoring.remote.node import find_node

from tests.unit.app.app_command import App


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let no ansible.cfg but a test's own count."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / "home"))


def inventory(tmp_path: Path, of_host: dict[str, Any] | None = None) -> Path:
    """Return an inventory of a broker and two consumers, the first with variables of its own."""
    groups = {
        "kafka": {"hosts": {"kafka-1": None}},
        "consumers_net_disk": {"hosts": {"c-1": of_host, "c-2": None}},
    }
    path = tmp_path / "hosts.yml"
    path.write_text(yaml.safe_dump({"all": {"children": groups}}))
    return path


def options(command: tuple[str, ...]) -> list[str]:
    """Return the values of the options -o."""
    return [value for at, value in itertools.pairwise(command) if at == "-o"]


def test_variables_are_rendered_and_go_before_the_settings(tmp_path: Path) -> None:
    """As in the lab, where they hold each other; what neither says is ssh's own."""
    (tmp_path / "ansible.cfg").write_text(
        "[defaults]\nremote_user = someone\nhost_key_checking = false\n"
        "[ssh_connection]\nssh_args = -o Compression=yes\n"
    )
    own = {
        "ansible_host": "192.0.2.7",
        "ansible_port": 2222,
        "state": "/srv/a b",
        "ansible_ssh_private_key_file": "{{ state }}/key",
        "ansible_ssh_common_args": "-o 'UserKnownHostsFile={{ state }}/{{ inventory_hostname }}'",
    }
    node = find_node(inventory(tmp_path, own), None)
    assert node.name == "c-1"
    assert (node.shell[0], node.shell[-1]) == ("ssh", "192.0.2.7")
    found = options(node.shell)
    assert {
        "Compression=yes",
        "UserKnownHostsFile=/srv/a b/c-1",
        "Port=2222",
        "User=someone",
        "IdentityFile=/srv/a b/key",
        "StrictHostKeyChecking=no",
    } <= set(found)
    assert found[:2] == ["ControlMaster=no", "ControlPath=none"]


def test_a_host_without_settings_is_reached_by_its_name(tmp_path: Path) -> None:
    """And its key is checked."""
    node = find_node(inventory(tmp_path), "c-2")
    assert (node.name, node.shell[-1]) == ("c-2", "c-2")
    assert not [
        text for text in options(node.shell) if text.startswith(("Port", "User=", "Strict"))
    ]


def test_this_machine_itself_needs_no_ssh(tmp_path: Path) -> None:
    """As the connection local says."""
    own = {"ansible_connection": "local"}
    assert find_node(inventory(tmp_path, own), None).shell == ("/bin/sh", "-c")


def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, app: App) -> None:
    """No such host; another way to reach it; an inventory that Ansible refuses."""
    of = inventory(tmp_path, {"ansible_connection": "winrm"})
    with pytest.raises(UsageError, match=r"hosts\.yml: no host nobody; name the inventory with"):
        find_node(of, "nobody")
    with pytest.raises(ConfigError, match="host c-1: found ansible_connection winrm, expected ssh"):
        find_node(of, None)
    of.write_text(of.read_text().replace("winrm", "'{{ nothing }}'"))
    with pytest.raises(ConfigError, match=r"ansible: .*nothing"):
        find_node(of, None)
    said = app("alerts", "--live", "--inventory", str(tmp_path / "none"))
    assert said.status == 2
    assert "no host consumers_*" in said.error()
