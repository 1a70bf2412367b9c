"""The module zerotier_ready: each state of a node, played by the double."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.zerotier_lab import NETWORK, Cluster, Json
from tests.support.zerotier_runner import MODULES, Runner, passing_time

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OPEN = 0o666


@pytest.fixture(autouse=True)
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let a file that everyone may open stand for the TUN device."""
    file = tmp_path / "tun"
    file.touch()
    file.chmod(OPEN)
    module = MODULES["ready"]
    monkeypatch.setattr(module, "device_problem", partial(module.device_problem, file))
    return file


def ready(runner: Runner, **changed: Any) -> Json:
    """Run zerotier_ready for the node producer-1."""
    arguments: Json = {
        "network_id": NETWORK,
        "ip": "172.29.0.2",
        "cidr": "172.29.0.0/24",
        "node": "producer-1",
        "timeout": 0,
    }
    return runner.run("ready", **(arguments | changed))


def told(runner: Runner) -> str:
    """Return the line of a node that is not ready, without its beginning."""
    failed = ready(runner)
    beginning = f"producer-1: network {NETWORK} after 0 s: "
    assert failed["msg"].startswith(beginning)
    assert "\n" not in failed["msg"]
    return str(failed["msg"]).removeprefix(beginning)


@pytest.fixture
def on_b(cluster: Cluster, runner_on: Callable[[str], Runner]) -> Runner:
    """Make the network on A and run on B, which joined it."""
    cluster.network()
    cluster["B"].join(NETWORK)
    return runner_on("B")


def test_ready_network_names_its_interface(on_b: Runner, cluster: Cluster) -> None:
    """Status OK and the address are enough."""
    cluster.authorize("B", "172.29.0.2")
    cluster.wire.pass_time(2)
    done = ready(on_b)
    assert (done["interface"], done["changed"]) == ("zte6l2qqib", False)


def test_network_that_becomes_ready_is_waited_for(
    on_b: Runner, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The module asks again until the controller has answered, and tells how long it took."""
    cluster.authorize("B", "172.29.0.2")
    clock = passing_time(monkeypatch, "ready", cluster)
    done = ready(on_b, timeout=5)
    assert (done["interface"], done["seconds"]) == ("zte6l2qqib", 0.5 * len(clock.slept))
    assert clock.slept != []


def test_waiting_ends_with_the_timeout(
    on_b: Runner, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line tells for how long it was tried."""
    passing_time(monkeypatch, "ready", cluster)
    failed = ready(on_b, timeout=5)["msg"]
    assert failed.startswith(f"producer-1: network {NETWORK} after 6 s: status ACCESS_DENIED")


def test_unauthorized_node_is_told(on_b: Runner, cluster: Cluster) -> None:
    """The controller answers, and lets it not in."""
    cluster.wire.pass_time(2)
    assert told(on_b).startswith("status ACCESS_DENIED: the controller 21c1e20656 does not auth")


def test_wrong_address_is_told(on_b: Runner, cluster: Cluster) -> None:
    """The addresses found and the one expected stand beside each other."""
    cluster.authorize("B", "172.29.0.77")
    cluster.wire.pass_time(2)
    assert told(on_b).startswith("status OK, addresses found: 172.29.0.77/24, expected: 172.29.0.2")


def test_node_without_a_root_is_told(on_b: Runner, cluster: Cluster) -> None:
    """Nobody is heard, so that the way out is a port or a moon."""
    cluster.isolate("A", "B")
    cluster.isolate("B", "C")
    cluster.wire.pass_time(2)
    assert told(on_b).startswith("status REQUESTING_CONFIGURATION: this node reaches no root")


def test_silent_controller_is_told(on_b: Runner, cluster: Cluster) -> None:
    """C is heard, A is not: the controller's host is to be looked at."""
    cluster.stop("A")
    cluster.wire.pass_time(2)
    assert told(on_b).startswith(
        "status REQUESTING_CONFIGURATION: the controller 21c1e20656 does not answer"
    )


def test_controller_that_is_heard_but_says_nothing_is_told(
    on_b: Runner, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hellos come back, the configuration does not."""
    monkeypatch.setattr(cluster["B"], "_answered", lambda _answer: None)
    cluster.wire.pass_time(2)
    assert told(on_b).startswith(
        "status REQUESTING_CONFIGURATION: the controller 21c1e20656 is reached but sends no"
    )


def test_lost_network_is_told(cluster: Cluster, runner_on: Callable[[str], Runner]) -> None:
    """The controller answers that it keeps none."""
    cluster["B"].join(NETWORK)
    cluster.wire.pass_time(2)
    assert told(runner_on("B")).startswith(
        "status NOT_FOUND: the controller 21c1e20656 keeps no such network"
    )


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (None, "{device} is missing: load it by `modprobe tun`, in a container pass it in"),
        (0o600, "{device} has mode 0600, expected 0666: chmod 0666 {device}"),
        (OPEN, "check that /dev/net/tun exists with mode 0666"),
    ],
)
def test_node_that_cannot_open_the_device_is_told(
    cluster: Cluster,
    runner_on: Callable[[str], Runner],
    device: Path,
    mode: int | None,
    expected: str,
) -> None:
    """The network is not even listed; the line says what is wrong with the device."""
    cluster.start("B", opens_tun=lambda: False)
    cluster["B"].join(NETWORK)
    device.unlink() if mode is None else device.chmod(mode)
    assert told(runner_on("B")) == (
        "status absent: zerotier-one does not list the network although it joined; "
        f"{expected.format(device=device)}, then look at: journalctl -u zerotier-one"
    )


def test_no_line_holds_the_token(on_b: Runner) -> None:
    """The API's token stays in its file."""
    token = (on_b.home / "authtoken.secret").read_text("utf-8")
    assert token not in json.dumps(ready(on_b))
