"""The client of ZeroTier Central: its methods, and the translation both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.central_client import JOINED, MEMBER, UNKNOWN, WANTED, client, refusal

if TYPE_CHECKING:
    from ansible_collections.server_monitoring.cluster.plugins.module_utils.zerotier import (
        central as zerotier_central,
    )
    from central_server import FakeCentral


@pytest.fixture
def central(fake: FakeCentral) -> zerotier_central.Central:
    """Return a client of it."""
    return client(fake)


def test_network_is_made_in_one_request(
    fake: FakeCentral, central: zerotier_central.Central
) -> None:
    """The record is what was wanted with the id that Central chose, after one POST."""
    made = central.create_network(WANTED)
    assert made == WANTED | {"id": made["id"]}
    assert fake.requests == [("POST", "/network", {"config": WANTED})]
    assert central.network(made["id"]) == made
    assert central.networks() == [made]


def test_what_making_a_network_ignored_is_saved(
    fake: FakeCentral, central: zerotier_central.Central
) -> None:
    """Where Central makes a network without looking at the request, a second one names the rest."""
    bare = fake.store.create_network({})
    fake.fail("POST /network", status=200, text=f'{{"id": "{bare["id"]}", "config": null}}')
    made = central.create_network(WANTED)
    assert made == WANTED | {"id": bare["id"]}
    missed = {key: value for key, value in WANTED.items() if key != "ipAssignmentPools"}
    assert fake.requests[1] == ("POST", f"/network/{bare['id']}", {"config": missed})


def test_networks_come_by_id(central: zerotier_central.Central) -> None:
    """Several networks are listed in the order of their ids."""
    made = [central.create_network(WANTED | {"name": name})["id"] for name in "abcde"]
    assert [network["id"] for network in central.networks()] == sorted(made)


def test_network_change_leaves_the_rest(
    fake: FakeCentral, central: zerotier_central.Central
) -> None:
    """One named key is sent, and neither other settings nor rules and descriptions are wiped."""
    before = fake.store.create_network({"description": "kept", "config": WANTED})
    changed = central.save_network(before["id"], {"mtu": 2000})
    after = fake.store.network(before["id"])
    assert fake.requests[-1][2] == {"config": {"mtu": 2000}}
    assert changed == WANTED | {"id": before["id"], "mtu": 2000}
    for passing in (before, after):
        for key in ("mtu", "lastModified"):
            del passing["config"][key]
        del passing["clock"]
    assert after == before


def test_unknown_things_are_none(central: zerotier_central.Central) -> None:
    """A network or member that Central does not know is None, not a failure."""
    assert central.network(UNKNOWN) is None
    assert central.member(UNKNOWN, MEMBER) is None
    made = central.create_network(WANTED)
    assert central.member(made["id"], MEMBER) is None
    assert central.members(made["id"]) == []


def test_member_is_authorized_before_it_joins(
    fake: FakeCentral, central: zerotier_central.Central
) -> None:
    """A member that never joined gets its record by one POST, the name beside its settings."""
    network = central.create_network(WANTED)["id"]
    saved = central.save_member(network, MEMBER, JOINED)
    assert saved == JOINED | {"id": MEMBER}
    config = {key: value for key, value in JOINED.items() if key != "name"}
    path = f"/network/{network}/member/{MEMBER}"
    assert fake.requests[-1] == ("POST", path, {"name": "producer-1", "config": config})
    assert central.member(network, MEMBER) == saved


def test_member_change_leaves_the_rest(
    fake: FakeCentral, central: zerotier_central.Central
) -> None:
    """Taking the authorization away sends this alone; a name alone sends no settings."""
    network = central.create_network(WANTED)["id"]
    central.save_member(network, MEMBER, JOINED)
    shut_out = central.save_member(network, MEMBER, {"authorized": False})
    assert shut_out == JOINED | {"id": MEMBER, "authorized": False}
    assert fake.requests[-1][2] == {"config": {"authorized": False}}
    central.save_member(network, MEMBER, {"name": "renamed"})
    assert fake.requests[-1][2] == {"name": "renamed"}
    assert fake.store.member(network, MEMBER)["config"]["ipAssignments"] == ["172.29.0.2"]


def test_members_come_by_address(central: zerotier_central.Central) -> None:
    """Members are listed in the order of their addresses, in a node's controller's words."""
    network = central.create_network(WANTED)["id"]
    for address in ("ffffffffff", "0000000001", MEMBER):
        central.save_member(network, address, {"authorized": True})
    listed = central.members(network)
    assert [member["id"] for member in listed] == ["0000000001", MEMBER, "ffffffffff"]
    assert all(member.keys() == JOINED.keys() | {"id"} for member in listed)


def test_member_is_deleted_twice(fake: FakeCentral, central: zerotier_central.Central) -> None:
    """A deleted member is gone; deleting it again is fine, also where Central answers 404."""
    network = central.create_network(WANTED)["id"]
    central.save_member(network, MEMBER, JOINED)
    central.delete_member(network, MEMBER)
    assert central.members(network) == []
    central.delete_member(network, MEMBER)
    fake.fail("DELETE .*", status=404)
    central.delete_member(network, MEMBER)
    assert fake.sent().count(f"DELETE /network/{network}/member/{MEMBER}") == 3


def test_nulls_and_gaps_are_normal_values(
    fake: FakeCentral, central: zerotier_central.Central
) -> None:
    """What the specification lets be null or missing compares like what it stands for."""
    text = (
        f'{{"id": "{UNKNOWN}", "config": {{"name": null, "private": true, "mtu": 2800,'
        ' "routes": [{"target": "10.0.0.0/8"}, {"target": "0.0.0.0/0", "via": "10.0.0.1"}],'
        ' "ipAssignmentPools": null, "v4AssignMode": null, "rules": []}, "clock": 1}'
    )
    fake.fail("GET /network/.{16}", status=200, text=text)
    assert central.network(UNKNOWN) == {
        "id": UNKNOWN,
        "name": "",
        "private": True,
        "mtu": 2800,
        "routes": [
            {"target": "10.0.0.0/8", "via": None},
            {"target": "0.0.0.0/0", "via": "10.0.0.1"},
        ],
        "ipAssignmentPools": [],
        "v4AssignMode": {"zt": False},
    }
    fake.fail(
        "GET .*/member/.*", status=200, text=f'{{"nodeId": null, "config": {{"id": "{MEMBER}"}}}}'
    )
    bare = {"id": MEMBER, "name": "", "authorized": False, "ipAssignments": []}
    assert central.member(UNKNOWN, MEMBER) == bare | {"noAutoAssignIps": False}


def test_record_can_be_sent_back_whole(central: zerotier_central.Central) -> None:
    """A record with its id is accepted as changes: the id is no change."""
    made = central.create_network(WANTED | {"id": "ignored"})
    assert central.save_network(made["id"], made) == made
    member = central.save_member(made["id"], MEMBER, JOINED | {"id": MEMBER})
    assert central.save_member(made["id"], MEMBER, member) == member


@pytest.mark.parametrize("kind", ["network", "member"])
def test_other_keys_are_refused(
    fake: FakeCentral, central: zerotier_central.Central, kind: str
) -> None:
    """A key that the two backends do not share is named, and nothing is sent."""
    ids = [UNKNOWN] if kind == "network" else [UNKNOWN, MEMBER]
    line = refusal(lambda: getattr(central, f"save_{kind}")(*ids, {"rules": [], "name": "x"}))
    assert line.startswith(f"ZeroTier Central: cannot change rules of a {kind}, only ('name', ")
    assert fake.requests == []


@pytest.mark.parametrize("wrong", ["../status", UNKNOWN.upper(), UNKNOWN + "0", ""])
def test_ids_that_are_paths_are_refused(
    fake: FakeCentral, central: zerotier_central.Central, wrong: str
) -> None:
    """An id that the API would take for another path never leaves."""
    assert refusal(lambda: central.network(wrong)).startswith(f"network_id: found {wrong!r}")
    assert refusal(lambda: central.delete_member(UNKNOWN, wrong)).startswith(
        f"address: found {wrong!r}"
    )
    assert fake.requests == []
