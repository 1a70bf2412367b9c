"""Taking the lab down leaves nothing of it behind."""

import subprocess

from tests.support.playbooks import AS_ROOT, play
from tests.support.project import PROJECT


def output(*command: str) -> str:
    """Return what a command prints."""
    return subprocess.run([*AS_ROOT, *command], capture_output=True, text=True, check=True).stdout


def test_lab_down_leaves_nothing_behind() -> None:
    """No container, network, rule, chain or key of the lab is left."""
    rules_before = (PROJECT / ".lab" / "rules-before").read_text(encoding="utf-8").strip()
    result = play("playbooks/lab_down.yml")
    assert result.status == 0, result.tail()
    assert output("podman", "ps", "--all", "--quiet", "--filter=label=server-monitoring=lab") == ""
    assert "server-monitoring-lab" not in output("podman", "network", "ls")
    assert "server_monitoring_lab" not in output("nft", "list", "tables")
    if rules_before == "none":
        assert "NETAVARK" not in output("iptables-save")
    assert not (PROJECT / ".lab").exists()
    assert not (PROJECT / "inventory/lab/pki").exists()
    assert not (PROJECT / "inventory/lab/group_vars/all/secrets.yml").exists()


def test_lab_down_twice_is_no_error() -> None:
    """With nothing left to remove it still ends well, and reports no change."""
    result = play("playbooks/lab_down.yml")
    assert result.status == 0, result.tail()
    assert result.changed() == {"localhost": 0}, result.tail()
