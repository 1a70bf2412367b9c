"""ZeroTier Central keeps the network: a fake of it, whose changes reach the lab's real members."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.overlay.lab_overlay import (
    CONTROLLER,
    HOME,
    NODES,
    converge,
    members,
    networks,
    operation,
    overlay,
)
from tests.support.playbooks import on
from tests.support.project import PROJECT

FAKE = PROJECT / "tests" / "doubles" / "central" / "fake_central.py"
TOKEN = "kept-on-the-control-machine-0123456789"  # noqa: S105 -- the fake's
LOCAL_PORT = 19993


@dataclass
class Central:
    """A running fake, and how the role finds it."""

    url: str

    @property
    def settings(self) -> dict[str, Any]:
        """Return the role's settings for it."""
        return {
            "zerotier_backend": "central",
            "zerotier_central_url": self.url,
            "zerotier_network_name": "by-central",
            "zerotier_join_timeout": 10,
        }


def fake(*options: str) -> subprocess.Popen[str]:
    """Start the fake; its first line is its address."""
    command = [sys.executable, str(FAKE), "--token", TOKEN, *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def address_of(process: subprocess.Popen[str]) -> str:
    """Return the address that a fake prints first."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture(scope="module")
def tunnel() -> Iterator[str]:
    """Reach the API of the controller's node from this machine, as its fake Central does."""
    files = PROJECT / ".lab"
    command = [
        "ssh", "-N", "-L", f"127.0.0.1:{LOCAL_PORT}:127.0.0.1:9993", "-p", "2201",
        "-i", str(files / "id_ed25519"), "-o", f"UserKnownHostsFile={files / 'known_hosts'}",
        "-o", "ExitOnForwardFailure=yes", "root@127.0.0.1",
    ]  # fmt: skip
    process = subprocess.Popen(command)
    yield f"http://127.0.0.1:{LOCAL_PORT}"
    process.terminate()
    process.wait()


@pytest.fixture(scope="module")
def central(tunnel: str) -> Iterator[Central]:
    """Run a fake whose networks the controller of one of the nodes really keeps."""
    token = on(CONTROLLER, f"cat {HOME}/authtoken.secret")
    process = fake("--mirror", tunnel, "--mirror-token", token)
    yield Central(address_of(process))
    process.terminate()
    process.wait()
    converge()


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the token as a person does."""
    monkeypatch.setenv("ZEROTIER_CENTRAL_TOKEN", TOKEN)


@pytest.mark.long
def test_central_keeps_the_network(central: Central) -> None:
    """Network made, members authorized with name and address, verified; nothing the second time."""
    result = overlay("-vvv", **central.settings)
    assert result.status == 0, result.tail()
    for node in NODES:
        assert [status for _, status, _ in networks(node)] == ["OK"]
    assert TOKEN not in result.output
    again = overlay(**central.settings)
    assert again.changed() == dict.fromkeys(NODES, 0), again.tail(200)


@pytest.mark.long
def test_token_is_on_no_node(central: Central) -> None:
    """Neither files nor the journal of a node hold the token."""
    assert central.url
    for node in NODES:
        places = f"{HOME} /root /tmp /var/tmp /etc"
        assert on(node, f"grep -rl {TOKEN} {places} || true") == "", node
        assert on(node, f"journalctl --no-pager | grep -c {TOKEN} || true") == "0", node


@pytest.mark.long
def test_host_leaves_a_network_of_central(central: Central) -> None:
    """The same playbook takes a host out, and the next run brings it back."""
    gone = operation("leave", leave="consumer-2", **central.settings)
    assert gone.status == 0, gone.tail()
    assert networks("consumer-2") == []
    back = overlay(**central.settings)
    assert back.status == 0, back.tail()
    assert len(members()) == len(NODES)


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        pytest.param({"status": 401}, "refused", marks=pytest.mark.long),
        ({"status": 403, "text": "member limit of your plan reached"}, "member limit of your plan"),
        pytest.param({"status": 429}, "429", marks=pytest.mark.long),
        pytest.param({"status": 500}, "500", marks=pytest.mark.long),
    ],
)
def test_refusal_is_one_line_within_the_timeout(fault: dict[str, Any], line: str) -> None:
    """What Central refuses ends the run with its reason, and never with the token."""
    process = fake("--fault", json.dumps({"request": ".*", **fault}))
    try:
        settings = Central(address_of(process)).settings | {"zerotier_join_timeout": 3}
        result = overlay("-vvv", "--limit", CONTROLLER, **settings)
    finally:
        process.terminate()
        process.wait()
    assert result.status != 0
    assert result.says("ZeroTier Central")
    assert result.says(line)
    assert TOKEN not in result.output


@pytest.mark.long
def test_missing_token_is_named(central: Central, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a token nothing is asked, and the variable is named."""
    monkeypatch.delenv("ZEROTIER_CENTRAL_TOKEN")
    result = overlay(**central.settings)
    assert result.status != 0
    assert result.says("zerotier_backend is 'central', but zerotier_central_token is empty")


@pytest.mark.long
def test_wrong_setting_does_not_print_the_token(central: Central) -> None:
    """A value of a wrong type ends the run with its name, and without the secrets beside it."""
    result = overlay("--limit", CONTROLLER, **central.settings | {"zerotier_mtu": "abc"})
    assert result.status != 0
    assert result.says("zerotier_mtu")
    assert TOKEN not in result.output
