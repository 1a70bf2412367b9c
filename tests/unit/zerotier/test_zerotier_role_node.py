"""The modules that run on every node, against the double's API on loopback."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from zerotier_lab import NAMES, NETWORK, Cluster, Json, Served
from zerotier_runner import MODULES, Runner

if TYPE_CHECKING:
    from pathlib import Path


MEMBERSHIP: Json = {"network_id": NETWORK, "cidr": "172.29.0.0/24", "node": "kafka-1"}


def test_membership_joins_once_and_leaves_once(runner: Runner, cluster: Cluster) -> None:
    """Joining and leaving change something the first time only."""
    asked = MEMBERSHIP
    assert runner.run("membership", check=True, **asked)["changed"]
    assert cluster["A"].networks() == []
    joined = runner.run("membership", **asked)
    assert (joined["changed"], joined["status"]) == (True, "REQUESTING_CONFIGURATION")
    assert not runner.run("membership", **asked)["changed"]
    assert runner.run("membership", state="absent", **asked)["changed"]
    assert not runner.run("membership", state="absent", **asked)["changed"]
    assert cluster["A"].networks() == []
    assert runner.run("membership", **(asked | {"network_id": "x"}))["failed"]


def ready(runner: Runner, **changed: Any) -> Json:
    """Run zerotier_ready for node A."""
    arguments: Json = {
        "network_id": NETWORK,
        "ip": "172.29.0.1",
        "cidr": "172.29.0.0/24",
        "node": "kafka-1",
        "timeout": 0,
    }
    return runner.run("ready", **(arguments | changed))


def test_ready_network_names_its_interface(runner: Runner, cluster: Cluster) -> None:
    """Status OK and the address are enough."""
    cluster.network()
    cluster.authorize("A", "172.29.0.1")
    cluster["A"].join(NETWORK)
    cluster["A"].tick()
    assert ready(runner)["interface"] == "zte6l2qqib"


def test_unready_network_fails_with_its_cause(runner: Runner, cluster: Cluster) -> None:
    """The line begins with host, network and state."""
    cluster.network()
    cluster["A"].join(NETWORK)
    cluster["A"].tick()
    failed = ready(runner)["msg"]
    assert failed.startswith(f"kafka-1: network {NETWORK} after 0 s: status ACCESS_DENIED: ")


def test_second_network_in_the_range_is_refused(runner: Runner, cluster: Cluster) -> None:
    """A node that carries the range already does not join, and is told what to leave."""
    cluster.network()
    cluster.authorize("A", "172.29.0.1")
    cluster["A"].join(NETWORK)
    cluster["A"].tick()
    other = MEMBERSHIP | {"network_id": "21c1e20656000001"}
    refused = runner.run("membership", **other)
    assert refused["msg"].startswith(f"kafka-1: it is also in the network {NETWORK} (probe) with")
    assert [network["id"] for network in cluster["A"].networks()] == [NETWORK]
    assert runner.run("membership", **(other | {"cidr": "172.30.0.0/24"}))["changed"]


@pytest.mark.parametrize("name", ["network", "member", "membership", "ready"])
def test_stopped_service_is_one_line(
    served: Served, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Every module that needs the service says that it does not answer, and no token."""
    served.close()
    every: dict[str, Json] = {
        "network": {"name": "probe", "cidr": "172.29.0.0/24"},
        "member": {
            "network_id": NETWORK,
            "address": NAMES["B"],
            "name": "b",
            "ip_assignments": [],
        },
        "membership": MEMBERSHIP,
        "ready": {"network_id": NETWORK, "ip": "1.2.3.4", "cidr": "1.2.3.0/24", "node": "b"},
    }
    failed = Runner(served.home, capsys).run(name, **every[name])
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
