"""The module zerotier_membership, and the ledger of what the role made on a node."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from ansible_collections.server_monitoring.cluster.plugins.module_utils.zerotier import ledger
from ansible_collections.server_monitoring.cluster.plugins.module_utils.zerotier.api import (
    ZerotierError,
)

from tests.support.zerotier_lab import NETWORK, Cluster, Json
from tests.support.zerotier_runner import Runner, calls, changing, content

if TYPE_CHECKING:
    from pathlib import Path

MEMBERSHIP: Json = {"network_id": NETWORK, "cidr": "172.29.0.0/24", "node": "kafka-1"}
OTHER = "21c1e20656000001"


def joined(cluster: Cluster) -> list[str]:
    """Return the ids of the networks that node A is in."""
    return [network["id"] for network in cluster["A"].networks()]


def test_membership_joins_once_and_leaves_once(
    runner: Runner, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Joining and leaving change something the first time only."""
    made = runner.run("membership", **MEMBERSHIP)
    assert (made["changed"], made["status"]) == (True, "REQUESTING_CONFIGURATION")
    before, written = content(runner.home), calls(monkeypatch)
    noted = (runner.home / ledger.NAME).stat().st_ino
    assert not runner.run("membership", **MEMBERSHIP)["changed"]
    assert (changing(written), content(runner.home)) == ([], before)
    assert (runner.home / ledger.NAME).stat().st_ino == noted
    left = runner.run("membership", state="absent", **MEMBERSHIP)
    assert (left["changed"], left["status"]) == (True, "")
    assert not runner.run("membership", state="absent", **MEMBERSHIP)["changed"]
    assert joined(cluster) == []


def test_membership_in_check_mode_is_only_announced(runner: Runner, cluster: Cluster) -> None:
    """Neither joining nor leaving happens, and the ledger stays as it was."""
    before = content(runner.home)
    assert runner.run("membership", check=True, **MEMBERSHIP)["changed"]
    assert (content(runner.home), joined(cluster)) == (before, [])
    runner.run("membership", **MEMBERSHIP)
    before = content(runner.home)
    assert runner.run("membership", check=True, state="absent", **MEMBERSHIP)["changed"]
    assert (content(runner.home), joined(cluster)) == (before, [NETWORK])


def test_second_network_in_the_range_is_refused(runner: Runner, cluster: Cluster) -> None:
    """A node that carries the range already does not join, and is told what to leave."""
    cluster.network()
    cluster.authorize("A", "172.29.0.1")
    cluster["A"].join(NETWORK)
    cluster["A"].tick()
    other = MEMBERSHIP | {"network_id": OTHER}
    refused = runner.run("membership", **other)
    assert refused["msg"].startswith(f"kafka-1: it is also in the network {NETWORK} (probe) with")
    assert joined(cluster) == [NETWORK]
    assert runner.run("membership", **(other | {"cidr": "172.30.0.0/24"}))["changed"]


def test_own_earlier_network_is_no_rival_in_check_mode(runner: Runner, cluster: Cluster) -> None:
    """A real run leaves it before it joins the next, so only a network of others is refused."""
    cluster.network()
    cluster.authorize("A", "172.29.0.1")
    runner.run("membership", **MEMBERSHIP)
    cluster["A"].tick()
    other = MEMBERSHIP | {"network_id": OTHER}
    assert runner.run("membership", check=True, **other)["changed"]
    refusal = f"kafka-1: it is also in the network {NETWORK} (probe) with"
    assert runner.run("membership", **other)["msg"].startswith(refusal)
    ledger.write(str(runner.home), network_id="")
    assert runner.run("membership", check=True, **other)["msg"].startswith(refusal)
    assert joined(cluster) == [NETWORK]


def test_network_is_noted_and_struck_off(runner: Runner) -> None:
    """The ledger holds the network from joining to leaving, for its owner alone."""
    file = runner.home / ledger.NAME
    runner.run("membership", **MEMBERSHIP)
    assert ledger.read(str(runner.home)) == {"network_id": NETWORK, "moons": []}
    assert file.stat().st_mode & 0o777 == 0o600
    runner.run("membership", state="absent", **MEMBERSHIP)
    assert ledger.read(str(runner.home))["network_id"] == ""


def test_network_that_was_joined_by_hand_is_noted(runner: Runner, cluster: Cluster) -> None:
    """Nothing changes on the network, but the role knows from then on that it is its own."""
    cluster["A"].join(NETWORK)
    assert not runner.run("membership", **MEMBERSHIP)["changed"]
    assert ledger.read(str(runner.home))["network_id"] == NETWORK


def test_leaving_another_network_leaves_the_note(runner: Runner, cluster: Cluster) -> None:
    """Who leaves a second network by this module is still in the noted one."""
    runner.run("membership", **MEMBERSHIP)
    cluster["A"].join(OTHER)
    assert runner.run("membership", **(MEMBERSHIP | {"network_id": OTHER, "state": "absent"}))
    assert ledger.read(str(runner.home))["network_id"] == NETWORK
    assert joined(cluster) == [NETWORK]


def test_entries_change_one_by_one(tmp_path: Path) -> None:
    """Writing one entry keeps the other, and leaves no half file behind."""
    assert ledger.read(str(tmp_path)) == {"network_id": "", "moons": []}
    ledger.write(str(tmp_path), moons=["00000021c1e20656"])
    ledger.write(str(tmp_path), network_id=NETWORK)
    assert ledger.read(str(tmp_path)) == {"network_id": NETWORK, "moons": ["00000021c1e20656"]}
    assert [file.name for file in tmp_path.iterdir()] == [ledger.NAME]


DAMAGED = ["", "{", "[]", "7", '{"network_id": ""}', '{"network_id": "", "moons": null}', "\udcff"]


@pytest.mark.parametrize("text", DAMAGED)
def test_damaged_ledger_is_one_line(tmp_path: Path, text: str) -> None:
    """The line names the file, what was found, what is expected and what to do."""
    file = tmp_path / ledger.NAME
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ZerotierError) as caught:
        ledger.read(str(tmp_path))
    said = str(caught.value)
    assert said.startswith(f"{file} is not what this role wrote there (found ")
    assert said.endswith("expected JSON with network_id and moons); remove it")
    assert "\n" not in said


def test_damaged_ledger_is_a_failure_of_the_module(runner: Runner) -> None:
    """Every module that reads it fails with the line, none with a traceback."""
    (runner.home / ledger.NAME).write_text("{", "utf-8")
    failed = [runner.run("membership", **MEMBERSHIP), runner.run("orbit", node="a", moons=[])]
    assert all("is not what this role wrote there" in result["msg"] for result in failed)
    assert "exception" not in json.dumps(failed)
