"""Every answer of the double held against what the real service answered in the same state."""

from __future__ import annotations

import json

import pytest
from zerotier_double import api, unstable

from tests.doubles.zerotier.tests.contract import assert_like
from tests.support.zerotier_lab import NAMES, NETWORK, QUIET, Cluster, Json, capture, capture_text


@pytest.fixture
def authorized(cluster: Cluster) -> Cluster:
    """Put up the captured network with all three nodes on it, in the captured order of events."""
    cluster.network()
    cluster["A"].join(NETWORK)
    cluster["A"].tick()
    cluster.authorize("A", "172.29.0.1", name="ctl")
    cluster["B"].join(NETWORK)
    cluster.wire.pass_time()
    cluster.authorize("B", "172.29.0.2")
    cluster.authorize("C", "172.29.0.3")
    cluster["C"].join(NETWORK)
    cluster.wire.pass_time(2)
    return cluster


def member(cluster: Cluster, name: str) -> Json:
    """Return a member's record on the controller."""
    members = cluster["A"].controller.members(NETWORK)
    assert members is not None
    return members[NAMES[name]]


PORTS = frozenset({"listeningOn", "surfaceAddresses", "secondaryPort", "tertiaryPort"})


def test_fresh_node_shows_itself_like_the_real_one(cluster: Cluster) -> None:
    """A node that hears no other is OFFLINE; without a local.conf it has three ports."""
    cluster.stop("B")
    cluster.stop("C")
    cluster.wire.pass_time()
    shown = cluster["A"].status()
    assert_like(capture("01-fresh-offline.info.json"), shown, PORTS | {"homeDir"})
    settings = shown["config"]["settings"]
    ports = [9993, settings["secondaryPort"], settings["tertiaryPort"]]
    assert settings["listeningOn"] == [f"10.213.0.1/{port}" for port in ports]
    assert settings["surfaceAddresses"] == []


def test_online_node_shows_itself_like_the_real_one(cluster: Cluster) -> None:
    """A node that hears another is ONLINE, with its surface address and its local.conf."""
    cluster.configure("B", QUIET)
    cluster.wire.pass_time()
    real = capture("13-custom-planet.info.json")
    # The planet of that capture was its own; the double keeps ZeroTier's.
    free = frozenset({"homeDir", "planetWorldId", "planetWorldTimestamp"})
    assert_like(real, cluster["B"].status(), free)


def test_fresh_node_lists_the_roots_as_unreachable(cluster: Cluster) -> None:
    """Without any other node the peers are ZeroTier's four roots, without a path."""
    assert_like(capture("01-fresh-offline.peers.json"), cluster["B"].peers())


def test_fresh_node_has_neither_networks_nor_moons(cluster: Cluster) -> None:
    """Both lists are empty on a fresh node."""
    table = {path: call for method, path, call in api.routes(cluster["B"]) if method == "GET"}
    assert table["/network"]() == capture("01-fresh-offline.listnetworks.json")
    assert table["/moon"]() == capture("01-fresh-offline.listmoons.json")


def test_controller_status_reads_like_the_real_one(cluster: Cluster) -> None:
    """The hand-made text of /controller is the same, tabs and all."""
    answer = cluster["A"].controller.status()
    real = capture("02-controller-status.json")
    assert_like(real, answer)
    text = api.render("/controller", answer | {"clock": real["clock"]})
    assert text.strip() == capture_text("02-controller-status.json").strip()
    assert cluster["A"].controller.networks() == capture("02-controller-networks-empty.json")


def test_created_network_equals_the_real_one(cluster: Cluster) -> None:
    """A network made without settings has the real one's defaults, down to the text."""
    real = capture("03-controller-network-created-default.json")
    made = cluster["A"].controller.update_network(NETWORK, {})
    assert_like(real, made)
    text = api.render("", made | {"creationTime": real["creationTime"]})
    assert text == capture_text("03-controller-network-created-default.json").strip()


def test_configured_network_equals_the_real_one(cluster: Cluster) -> None:
    """Name, route, pool and assign mode stand as the real controller keeps them."""
    assert_like(capture("04-controller-network-configured.json"), cluster.network())


def test_join_answers_like_the_real_one(cluster: Cluster) -> None:
    """The answer to a join is the network in REQUESTING_CONFIGURATION, in the same text."""
    joined = cluster["B"].join(NETWORK)
    assert api.render("", joined) == capture_text("22-join-reply.B.json").strip()


def test_member_waits_for_its_controller_like_the_real_one(cluster: Cluster) -> None:
    """Without the controller a joined network stays in REQUESTING_CONFIGURATION."""
    cluster.stop("A")
    cluster["B"].join(NETWORK)
    cluster.wire.pass_time(3)
    real = capture("07-no-root.requesting-configuration.listnetworks.json")
    assert_like(real, cluster["B"].networks())


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("A", "06-no-root.controller-self-join.listnetworks.json"),
        ("A", "20-access-denied.controller-self.listnetworks.json"),
        ("B", "23-access-denied.listnetworks.json"),
    ],
)
def test_member_is_denied_until_authorized(cluster: Cluster, name: str, file: str) -> None:
    """A joined network without authorization is in ACCESS_DENIED, without address or name."""
    cluster.network()
    cluster[name].join(NETWORK)
    cluster.wire.pass_time(3)
    assert_like(capture(file), cluster[name].networks())


@pytest.mark.parametrize(
    ("name", "file"),
    [("A", "20-access-denied.member.json"), ("B", "23-unauthorized.member.B.json")],
)
def test_unauthorized_member_is_recorded_like_the_real_one(
    cluster: Cluster, name: str, file: str
) -> None:
    """The controller keeps the identity of whoever asked, but no version yet."""
    cluster.network()
    cluster[name].join(NETWORK)
    cluster.wire.pass_time(3)
    assert_like(capture(file), member(cluster, name))


@pytest.mark.parametrize(
    ("name", "address", "settings", "file"),
    [
        ("A", "172.29.0.1", {"name": "ctl"}, "21-authorized.member-post-reply.json"),
        ("B", "172.29.0.2", {}, "24-authorized.member.B.post-reply.json"),
    ],
)
def test_authorizing_answers_like_the_real_one(
    cluster: Cluster, name: str, address: str, settings: Json, file: str
) -> None:
    """The answer counts the change and names the API as the credential."""
    cluster.network()
    cluster[name].join(NETWORK)
    cluster.wire.pass_time()
    assert_like(capture(file), cluster.authorize(name, address, **settings))


def test_member_may_be_authorized_before_it_joins(cluster: Cluster) -> None:
    """The record of a member that never asked has no identity and revision 1."""
    cluster.network()
    authorized = cluster.authorize("C", "172.29.0.3")
    assert_like(capture("26-preauthorized-before-join.member.C.json"), authorized)


@pytest.mark.parametrize(
    ("name", "file"), [("B", "25-ok.member.B.json"), ("C", "27-ok.member.C.json")]
)
def test_member_on_the_network_is_recorded_like_the_real_one(
    authorized: Cluster, name: str, file: str
) -> None:
    """Once it got its configuration, the record shows the member's version and counts that."""
    assert_like(capture(file), member(authorized, name))


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("A", "28-ok.listnetworks.A.json"),
        ("B", "25-ok.listnetworks.B.json"),
        ("C", "28-ok.listnetworks.C.json"),
    ],
)
def test_member_on_the_network_shows_it_like_the_real_one(
    authorized: Cluster, name: str, file: str
) -> None:
    """Status OK, with name, address, route, MAC address and interface of the capture."""
    assert_like(capture(file), authorized[name].networks())


def test_controller_lists_revisions_and_counts_like_the_real_one(authorized: Cluster) -> None:
    """The lists of members and networks equal the captured ones."""
    controller = authorized["A"].controller
    table = {path: call for method, path, call in api.routes(authorized["A"]) if method == "GET"}
    revisions = table["/controller/network/([0-9a-fA-F]{16})/member"](NETWORK)
    assert revisions == capture("28-ok.member-list.json")
    assert_like(capture("28-ok.network.json"), controller.network(NETWORK))
    assert_like(capture("28-ok.unstable-controller-network.json"), unstable.networks(controller))
    real, found = capture("28-ok.unstable-members.json"), unstable.members(controller, NETWORK)
    assert found is not None
    for answer in (real, found):
        answer["data"].sort(key=lambda record: record["address"])
    assert_like(real, found)


def test_peers_show_other_nodes_like_the_real_one(authorized: Cluster) -> None:
    """A living node is a LEAF with a path; the roots stay unreachable."""
    real = {peer["address"]: peer for peer in capture("33-controller-down.peers.json")}
    double = {peer["address"]: peer for peer in authorized["B"].peers()}
    assert_like(real[NAMES["C"]], double[NAMES["C"]])
    assert real.keys() == double.keys()
    planet = [peer for peer in capture("29-peers-with-leaf.B.json") if peer["role"] == "PLANET"]
    assert_like(planet, [peer for peer in authorized["B"].peers() if peer["role"] == "PLANET"])


def test_deauthorized_member_keeps_its_address_but_is_denied(authorized: Cluster) -> None:
    """ACCESS_DENIED comes back, the configuration stays, and no one sends to the member."""
    body = {"authorized": False}
    record = authorized["A"].controller.update_member(NETWORK, NAMES["B"], body)
    authorized.wire.pass_time(2)
    # The captured member had been changed more often.
    assert_like(capture("30-deauthorized.member.B.json"), record, frozenset({"revision"}))
    real = capture("30-deauthorized.listnetworks.B.json")
    assert_like(real, authorized["B"].networks(), frozenset({"multicastSubscriptions"}))
    assert authorized["B"].links()[0].peers == frozenset()
    assert len(authorized["C"].links()[0].peers) == 1


def test_leaving_answers_like_the_real_one(authorized: Cluster) -> None:
    """DELETE answers with a result, and the network is gone from the list."""
    table = {path: call for method, path, call in api.routes(authorized["C"]) if method == "DELETE"}
    answer = table["/network/([0-9a-fA-F]{16})"](NETWORK)
    assert api.render("", answer) == capture_text("31-leave-reply.C.json").strip()
    assert authorized["C"].networks() == capture("31-left.listnetworks.json")
    assert authorized["C"].links() == []


def test_unknown_network_is_not_found(authorized: Cluster) -> None:
    """A network that its controller does not keep is in NOT_FOUND."""
    real = capture("32-not-found.listnetworks.json")
    authorized["C"].join(real[1]["id"])
    authorized.wire.pass_time(2)
    # The capture's first network was set to allow DNS by hand and had other multicast groups.
    free = frozenset({"allowDNS", "multicastSubscriptions"})
    assert_like(real, authorized["C"].networks(), free)


def test_member_stays_on_the_network_while_its_controller_is_down(authorized: Cluster) -> None:
    """Status OK and the address survive the controller's silence, and a restart."""
    authorized.stop("A")
    authorized.wire.pass_time(12)
    real = capture("33-controller-down.listnetworks.json")
    free = frozenset({"multicastSubscriptions"})
    assert_like(real, authorized["B"].networks(), free)
    assert NAMES["A"] not in {peer["address"] for peer in authorized["B"].peers()}
    authorized.start("B")
    assert_like(real, authorized["B"].networks(), free)


def test_captures_are_what_zerotier_cli_prints() -> None:
    """The double's way to print JSON gives each capture of the command byte for byte."""
    for name in ("12-moon-online.info.json", "25-ok.listnetworks.B.json", "11-moon.listmoons.json"):
        printed = json.dumps(capture(name), indent=1, sort_keys=True)
        assert printed == capture_text(name).strip()
