"""The modules for networks and members with ZeroTier Central: an in-process fake of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.central_client import TOKEN
from tests.support.zerotier_lab import MEMBER_B, NAMES, NETWORK, Json
from tests.support.zerotier_runner import Runner, changing

if TYPE_CHECKING:
    from pathlib import Path

    from central_server import FakeCentral

OLD, STRANGER = "0123456789", "fedcba9876"


class Keeper:
    """Runs the modules with Central on a machine that has no ZeroTier."""

    def __init__(self, runner: Runner, fake: FakeCentral) -> None:
        """Give every module address and token of the fake."""
        self._runner = runner
        self.access = {"backend": "central", "token": TOKEN, "url": fake.url, "timeout": 5}

    def run(self, name: str, /, *, check: bool = False, **arguments: Any) -> Json:
        """Run a module; neither its result nor its failure may hold the token."""
        result = self._runner.run(name, check=check, controller=self.access, **arguments)
        assert TOKEN not in json.dumps(result)
        return result

    def network(self, *, check: bool = False, **changed: Any) -> Json:
        """Run zerotier_network with the usual arguments."""
        arguments = {"name": "probe", "cidr": "172.29.0.0/24"} | changed
        return self.run("network", check=check, **arguments)

    def member(self, network_id: str, *, check: bool = False, **changed: Any) -> Json:
        """Run zerotier_member for node B with the usual arguments."""
        arguments = MEMBER_B | {"network_id": network_id} | changed
        return self.run("member", check=check, **arguments)


@pytest.fixture
def keeper(tmp_path: Path, capsys: pytest.CaptureFixture[str], fake: FakeCentral) -> Keeper:
    """Run modules with the fake."""
    return Keeper(Runner(tmp_path, capsys), fake)


def members(fake: FakeCentral, network_id: str) -> dict[str, Json]:
    """Return Central's members by address."""
    return {member["nodeId"]: member for member in fake.store.members(network_id)}


def test_network_is_made_once(keeper: Keeper, fake: FakeCentral) -> None:
    """Central chooses the id; the second run finds it by its name and changes nothing."""
    made = keeper.network(mtu=1400)
    assert (made["changed"], made["created"]) == (True, True)
    config = fake.store.network(made["network_id"])["config"]
    assert (config["name"], config["private"], config["mtu"]) == ("probe", True, 1400)
    assert config["routes"] == [{"target": "172.29.0.0/24", "via": None}]
    fake.requests.clear()
    again = keeper.network(mtu=1400)
    assert (again["changed"], again["network_id"]) == (False, made["network_id"])
    assert changing(fake.sent()) == []


def test_network_in_check_mode_is_only_announced(keeper: Keeper, fake: FakeCentral) -> None:
    """Its id is Central's to choose, so that none is told; nothing is made."""
    announced = keeper.network(check=True)
    assert (announced["changed"], announced["network_id"]) == (True, "")
    assert "network probe" in announced["diff"]["after_header"]
    assert changing(fake.sent()) == []
    keeper.network()
    fake.requests.clear()
    assert keeper.network(check=True, private=False)["changed"]
    assert changing(fake.sent()) == []


def test_renamed_network_is_found_by_its_id_alone(keeper: Keeper, fake: FakeCentral) -> None:
    """An id of Central's does not follow from the name, so the inventory has to say it."""
    made = keeper.network()["network_id"]
    fake.store.change_network(made, {"config": {"name": "renamed"}})
    assert keeper.network(check=True)["created"]
    assert not keeper.network(network_id=made)["created"]
    assert fake.store.network(made)["config"]["name"] == "probe"


def test_network_of_central_is_never_forgotten(keeper: Keeper, fake: FakeCentral) -> None:
    """An account's network may serve others, so that it is left alone even when it is empty."""
    made = keeper.network()["network_id"]
    fake.requests.clear()
    assert not keeper.run("network", state="absent", network_id=made)["changed"]
    assert changing(fake.sent()) == []
    assert fake.store.network(made)["config"]["name"] == "probe"


def test_member_is_kept_and_drift_told(keeper: Keeper, fake: FakeCentral) -> None:
    """The same member, warning and silence as on a node's own controller."""
    network = keeper.network()["network_id"]
    assert keeper.member(network)["changed"]
    fake.requests.clear()
    assert not keeper.member(network)["changed"]
    assert changing(fake.sent()) == []
    fake.store.change_member(network, NAMES["B"], {"config": {"authorized": False}})
    assert keeper.member(network, check=True)["changed"]
    corrected = keeper.member(network)
    said = "was set right on the controller: authorized false instead of true"
    assert corrected["warnings"] == [f"producer-1 ({NAMES['B']}) {said}"]
    config = members(fake, network)[NAMES["B"]]["config"]
    assert (config["authorized"], config["ipAssignments"]) == (True, ["172.29.0.2"])


def test_earlier_identity_goes_and_a_stranger_stays(keeper: Keeper, fake: FakeCentral) -> None:
    """A held address is judged as on a node's own controller."""
    network = keeper.network()["network_id"]
    held = {"config": {"ipAssignments": ["172.29.0.2"]}}
    fake.store.change_member(network, OLD, {"name": "producer-1", **held})
    assert keeper.member(network)["superseded"] == [OLD]
    assert members(fake, network).keys() == {NAMES["B"]}
    fake.store.change_member(network, STRANGER, {"name": "printer", **held})
    assert f"overlay_leave.yml -e leave={STRANGER}" in keeper.member(network)["msg"]
    assert members(fake, network).keys() == {NAMES["B"], STRANGER}


def test_absent_member_loses_its_authorization_before_it_is_forgotten(
    keeper: Keeper, fake: FakeCentral
) -> None:
    """The order is the same with Central."""
    network = keeper.network()["network_id"]
    keeper.member(network)
    path = f"/network/{network}/member/{NAMES['B']}"
    gone: Json = {"network_id": network, "address": NAMES["B"], "state": "absent"}
    fake.requests.clear()
    assert keeper.run("member", check=True, **gone)["changed"]
    assert changing(fake.sent()) == []
    assert keeper.run("member", **gone)["changed"]
    assert changing(fake.sent()) == [f"POST {path}", f"DELETE {path}"]
    assert not keeper.run("member", **gone)["changed"]


@pytest.mark.parametrize("name", ["network", "member"])
def test_refused_token_is_one_line_without_the_token(
    keeper: Keeper, fake: FakeCentral, name: str
) -> None:
    """A refusal, and an answer that repeats the token, show it nowhere."""
    fake.fail(".*", status=401, text=json.dumps({"message": f"no such token {TOKEN}"}))
    failed = keeper.network() if name == "network" else keeper.member(NETWORK)
    assert failed["msg"].startswith("ZeroTier Central (127.0.0.1:")
    assert "\n" not in failed["msg"]


def test_missing_token_is_one_line(keeper: Keeper, fake: FakeCentral) -> None:
    """Nothing is sent without one."""
    keeper.access["token"] = ""
    assert "the token is empty" in keeper.network()["msg"]
    assert fake.requests == []
