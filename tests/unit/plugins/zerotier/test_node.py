"""The modules that run on every node, against the double's API on loopback."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.server_monitoring.cluster.plugins.module_utils.zerotier import ledger

from tests.support.zerotier_lab import NAMES, NETWORK, Json, Served
from tests.support.zerotier_runner import MODULES, Runner

if TYPE_CHECKING:
    from pathlib import Path


SERVICE: dict[str, Json] = {
    "network": {"name": "probe", "cidr": "172.29.0.0/24"},
    "member": {"network_id": NETWORK, "address": NAMES["B"], "name": "b", "ip_assignments": []},
    "membership": {"network_id": NETWORK, "cidr": "172.29.0.0/24", "node": "b"},
    "ready": {"network_id": NETWORK, "ip": "1.2.3.4", "cidr": "1.2.3.0/24", "node": "b"},
    "orbit": {"moons": [], "node": "b"},
    "peers": {"peers": {"a": NAMES["A"]}, "node": "b"},
}


@pytest.mark.parametrize("name", SERVICE)
def test_stopped_service_is_one_line(
    served: Served, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Every module that needs the service says that it does not answer, and no token."""
    served.close()
    failed = Runner(served.home, capsys).run(name, **SERVICE[name])
    assert "does not answer on 127.0.0.1" in failed["msg"]
    assert "\n" not in failed["msg"]
    assert served.token not in json.dumps(failed)


def fake_cli(folder: Path, script: str) -> None:
    """Put a zerotier-cli in front of every other one."""
    command = folder / "zerotier-cli"
    command.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    command.chmod(0o755)


def test_info_reports_the_node(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Address and version come from zerotier-cli."""
    fake_cli(tmp_path, 'echo \'{"address": "a87adac07d", "online": true, "version": "1.14.1"}\'')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = runner.run("info", package="no-such-package")
    assert (found["address"], found["version"]) == ("a87adac07d", "1.14.1")
    assert (found["changed"], found["package_version"]) == (False, "")


CLI = 'echo \'{"address": "a87adac07d", "online": true, "version": "1.14.1"}\''


def test_info_tells_which_network_the_role_joined(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger's network is reported, and nothing where there is no ledger."""
    fake_cli(tmp_path, CLI)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert runner.run("info")["joined"] == ""
    ledger.write(str(runner.home), network_id=NETWORK)
    assert runner.run("info")["joined"] == NETWORK


def test_info_warns_of_an_identity_that_collided(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The warning names the new address, and the file that keeps the warning alive."""
    fake_cli(tmp_path, CLI)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert runner.run("info")["warnings"] == []
    kept = runner.home / "identity.secret.saved_after_collision"
    kept.touch()
    [warning] = runner.run("info")["warnings"]
    assert "zerotier-one made a new one, a87adac07d;" in warning
    assert warning.endswith(f"then remove {kept}")


@pytest.mark.parametrize(
    "name", ["authtoken.secret", "identity.secret", "identity.secret.saved_after_collision"]
)
def test_info_names_a_secret_that_others_may_read(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """An old identity that collided is as secret as the one in use."""
    fake_cli(tmp_path, CLI)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (runner.home / name).touch()
    (runner.home / name).chmod(0o600)
    assert runner.run("info")["open_secrets"] == []
    (runner.home / name).chmod(0o640)
    assert runner.run("info")["open_secrets"] == [name]


def test_refused_token_has_its_own_line(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting would not help, so the timeout is not waited for; the line holds no token."""
    fake_cli(tmp_path, "echo '401 info {}'; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(MODULES["info"].time, "sleep", pytest.fail)
    (runner.home / "authtoken.secret").write_text("another-token", "utf-8")
    failed = runner.run("info")
    assert "refused the token of authtoken.secret (401); restart it" in failed["msg"]
    assert "another-token" not in json.dumps(failed)


def test_missing_cli_is_one_line(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without ZeroTier is told to install it."""
    monkeypatch.setattr(AnsibleModule, "get_bin_path", no_path)
    failed = runner.run("info")["msg"]
    assert failed == "zerotier-cli is not installed: install ZeroTier on this machine"


def no_path(*_arguments: object, **_options: object) -> None:
    """Find no command."""


def test_silent_cli_fails_after_the_timeout(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the command said is passed on in one line."""
    fake_cli(tmp_path, "printf 'Error connecting\\n\\nto the service'; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    failed = runner.run("info", timeout=0)["msg"]
    assert failed.startswith(
        "zerotier-cli info failed with status 1: 'Error connecting to the service'"
    )


def test_silent_peer_is_named_with_both_nodes(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line names who could not reach whom."""
    monkeypatch.setattr(MODULES["reach"], "unreached", lambda *_arguments: ["172.29.0.3"])
    peers = {"kafka-1": "172.29.0.1", "consumer-1": "172.29.0.3"}
    failed = runner.run("reach", node="producer-1", source="172.29.0.2", peers=peers, timeout=5)
    assert failed["msg"].startswith(
        "producer-1 (172.29.0.2) got no reply over the overlay from consumer-1 (172.29.0.3) within"
    )


def test_missing_own_address_is_told(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source address that the machine does not have is a failure of its own."""

    def refuse(*_arguments: object) -> list[str]:
        raise OSError(99, "Cannot assign requested address")

    monkeypatch.setattr(MODULES["reach"], "unreached", refuse)
    failed = runner.run("reach", node="b", source="172.29.0.2", peers={"a": "172.29.0.1"})
    assert failed["msg"] == (
        "b (172.29.0.2) cannot send over the overlay: Cannot assign requested address"
    )


def test_reached_peers_are_listed(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Success names the peers and changes nothing."""
    monkeypatch.setattr(MODULES["reach"], "unreached", lambda *_arguments: [])
    done = runner.run("reach", node="b", source="172.29.0.2", peers={"a": "172.29.0.1"})
    assert (done["changed"], done["reached"]) == (False, ["a"])
