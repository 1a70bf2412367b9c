"""What the double does between the captured states."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
from zerotier_double.errors import HomeError
from zerotier_double.identity import device_name, network_mac, new_identity
from zerotier_double.store import Home

from tests.support.zerotier_lab import ADDRESSES, NAMES, NETWORK, Cluster

if TYPE_CHECKING:
    from pathlib import Path


def revision(cluster: Cluster, name: str) -> int:
    """Return how often a member's record changed."""
    members = cluster["A"].controller.members(NETWORK)
    assert members is not None
    return int(members[NAMES[name]]["revision"])


def test_changed_address_reaches_the_member(cluster: Cluster) -> None:
    """A new assignment replaces the old address within two ticks."""
    cluster.network()
    cluster.authorize("B", "172.29.0.2")
    cluster["B"].join(NETWORK)
    cluster.wire.pass_time(2)
    cluster.authorize("B", "172.29.0.22")
    cluster.wire.pass_time(2)
    assert cluster.shown("B")["assignedAddresses"] == ["172.29.0.22/24"]
    assert cluster["B"].links()[0].addresses == frozenset({"172.29.0.22/24"})


def test_address_outside_all_routes_is_not_handed_out(cluster: Cluster) -> None:
    """The controller keeps such an address but gives the member nothing."""
    cluster.network()
    cluster.authorize("B", "10.9.9.9", noAutoAssignIps=True)
    cluster["B"].join(NETWORK)
    cluster.wire.pass_time(2)
    assert cluster.shown("B")["status"] == "OK"
    assert cluster.shown("B")["assignedAddresses"] == []


def test_prefix_length_is_the_narrowest_routes(cluster: Cluster) -> None:
    """Of two routes that hold the address, the longer prefix counts."""
    cluster.network(routes=[{"target": "172.16.0.0/12"}, {"target": "172.29.0.0/25"}])
    cluster.authorize("B", "172.29.0.2")
    cluster["B"].join(NETWORK)
    cluster.wire.pass_time(2)
    assert cluster.shown("B")["assignedAddresses"] == ["172.29.0.2/25"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ["172.29.0.1/24"]),
        ({"noAutoAssignIps": True}, []),
    ],
)
def test_pool_serves_members_without_an_address(
    cluster: Cluster, settings: dict[str, bool], expected: list[str]
) -> None:
    """A member without an address gets a free one of the pool, unless that is forbidden."""
    cluster.network()
    cluster.authorize("B", **settings)
    cluster["B"].join(NETWORK)
    cluster.wire.pass_time(2)
    assert cluster.shown("B")["assignedAddresses"] == expected


def test_empty_pool_serves_no_one(cluster: Cluster) -> None:
    """Without a pool only assigned addresses are given."""
    cluster.network(ipAssignmentPools=[])
    cluster.authorize("B")
    cluster["B"].join(NETWORK)
    cluster.wire.pass_time(2)
    assert cluster.shown("B")["assignedAddresses"] == []


def test_public_network_authorizes_whoever_joins(cluster: Cluster) -> None:
    """A network that is not private needs no authorization."""
    cluster.network(private=False)
    cluster["B"].join(NETWORK)
    cluster.wire.pass_time(2)
    assert cluster.shown("B")["status"] == "OK"
    assert cluster.shown("B")["type"] == "PUBLIC"


def test_same_request_again_counts_no_revision(cluster: Cluster) -> None:
    """Network and member keep their revision when nothing changes."""
    first = cluster.network()["revision"]
    cluster.authorize("B", "172.29.0.2")
    before = revision(cluster, "B")
    cluster.authorize("B", "172.29.0.2")
    assert cluster.network()["revision"] == first
    assert revision(cluster, "B") == before


def test_controller_survives_a_restart(cluster: Cluster) -> None:
    """Networks and members are as they were when the controller starts again."""
    network = cluster.network()
    member = cluster.authorize("B", "172.29.0.2")
    cluster.start("A")
    assert cluster["A"].controller.network(NETWORK) == network
    assert cluster["A"].controller.members(NETWORK) == {NAMES["B"]: member}


def test_deleted_member_must_be_authorized_again(cluster: Cluster) -> None:
    """A member that the controller forgot comes back unauthorized."""
    cluster.network()
    cluster.authorize("B", "172.29.0.2")
    cluster["B"].join(NETWORK)
    cluster.wire.pass_time(2)
    assert cluster["A"].controller.delete_member(NETWORK, NAMES["B"]) is not None
    cluster.wire.pass_time(2)
    assert cluster.shown("B")["status"] == "ACCESS_DENIED"


def test_deleted_network_is_not_found_and_leaves_no_file(cluster: Cluster) -> None:
    """Members of a deleted network hear NOT_FOUND, and a restart does not bring it back."""
    cluster.network()
    cluster.authorize("B", "172.29.0.2")
    cluster["B"].join(NETWORK)
    assert cluster["A"].controller.delete_network(NETWORK) is not None
    cluster.wire.pass_time(2)
    assert cluster.shown("B")["status"] == "NOT_FOUND"
    cluster.start("A")
    assert cluster["A"].controller.networks() == []
    assert cluster["A"].controller.delete_network(NETWORK) is None


def test_links_lead_to_the_other_members_underlay(cluster: Cluster) -> None:
    """Frames for a member go to where its datagrams come from."""
    cluster.network()
    for name, address in (("B", "172.29.0.2"), ("C", "172.29.0.3")):
        cluster.authorize(name, address)
        cluster[name].join(NETWORK)
    cluster.wire.pass_time(2)
    expected = (network_mac(NAMES["C"], NETWORK), ADDRESSES["C"])
    assert cluster["B"].links()[0].peers == frozenset({expected})


def test_answer_of_another_node_is_not_believed(cluster: Cluster) -> None:
    """Only a network's own controller decides on its members."""
    cluster["B"].join(NETWORK)
    card = {"identity": cluster["C"].identity.public, "version": [1, 14, 1], "port": 9993}
    forged = card | {"kind": "answer", "nwid": NETWORK, "reply": {"status": "OK"}}
    cluster["B"].receive(forged, (ADDRESSES["C"], 9994))
    assert cluster.shown("B")["status"] == "REQUESTING_CONFIGURATION"


def test_mtu_is_held_inside_the_real_bounds(cluster: Cluster) -> None:
    """The controller clamps an MTU instead of refusing it."""
    controller = cluster["A"].controller
    assert controller.update_network(NETWORK, {"mtu": 1})["mtu"] == 1280
    assert controller.update_network(NETWORK, {"mtu": 99999})["mtu"] == 10000


def test_nonsense_in_a_request_is_dropped(cluster: Cluster) -> None:
    """Routes, pools and addresses that cannot be read are left out."""
    network = cluster.network(routes=[{"target": "nowhere"}, 7], ipAssignmentPools=[{}, "x"])
    assert (network["routes"], network["ipAssignmentPools"]) == ([], [])
    assert cluster.authorize("B", "300.1.1.1")["ipAssignments"] == []


def test_identity_and_token_are_made_once_and_closed(tmp_path: Path) -> None:
    """Both secrets keep their text, and no one else may read them."""
    home = Home(tmp_path)
    first = (home.identity(), home.auth_token())
    assert (Home(tmp_path).identity(), Home(tmp_path).auth_token()) == first
    for name in ("identity.secret", "authtoken.secret"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert first[0].secret.startswith(f"{first[0].public}:")


@pytest.mark.parametrize("text", ["junk", "a87adac07d:0:00", f"a87adac07d:0:{'0' * 128}"])
def test_broken_identity_stops_the_service(tmp_path: Path, text: str) -> None:
    """A secret that is none is not replaced in silence: the one line names the folder."""
    (tmp_path / "identity.secret").write_text(text, "utf-8")
    with pytest.raises(HomeError, match=f"identity.secret from {tmp_path} and try again"):
        Home(tmp_path).identity()


def test_public_identity_follows_the_secret_one(tmp_path: Path) -> None:
    """Another secret put in place brings its own public text."""
    Home(tmp_path).identity()
    other = new_identity()
    (tmp_path / "identity.secret").write_text(other.secret, "utf-8")
    assert Home(tmp_path).identity() == other
    assert (tmp_path / "identity.public").read_text("utf-8") == other.public


def test_configuration_of_an_earlier_identity_is_dropped(cluster: Cluster) -> None:
    """A node that got a new identity starts without the address that the old one had."""
    cluster.network()
    cluster.authorize("B", "172.29.0.2")
    cluster["B"].join(NETWORK)
    cluster.wire.pass_time(2)
    (cluster.home("B") / "identity.secret").write_text(new_identity().secret, "utf-8")
    cluster.stop("A")
    cluster.start("B")
    assert cluster.shown("B")["status"] == "REQUESTING_CONFIGURATION"
    assert cluster["B"].links()[0].addresses == frozenset()


def test_identities_have_distinct_addresses_of_ten_digits() -> None:
    """An address is ten hexadecimal digits, and never a reserved one."""
    made = {new_identity().address for _ in range(50)}
    assert len(made) == 50
    assert all(len(address) == 10 and int(address, 16) for address in made)
    assert not any(address.startswith(("00", "ff")) for address in made)


def test_interface_names_differ_between_networks() -> None:
    """Two networks of one controller get two interfaces, each name at most 15 characters."""
    names = {device_name(NETWORK), device_name("21c1e20656abcdef")}
    assert names == {"zte6l2qqib", "zte6luts5z"}


def test_mac_of_a_network_that_ends_in_52_steps_aside() -> None:
    """The octet 52 belongs to virtual machines; 32 stands for it."""
    assert network_mac(NAMES["B"], "21c1e20656000052").startswith("32:")
