"""Nodes that know each other through a moon's root alone: relayed, and still at work."""

from __future__ import annotations

import pytest
from zerotier_double import cli
from zerotier_double.identity import network_mac

from tests.support.zerotier_lab import ADDRESSES, NAMES, NETWORK, Cluster, Json, Served

RELAYED = {"latency": -1, "paths": [], "role": "LEAF", "version": "1.14.1"}


@pytest.fixture
def orbiting(cluster: Cluster) -> Cluster:
    """Put A's moon on all three nodes."""
    cluster.orbit("A", "B", "C")
    return cluster


def entry(cluster: Cluster, name: str, other: str) -> Json:
    """Return what a node lists of another, empty where it lists nothing."""
    found = (peer for peer in cluster[name].peers() if peer["address"] == NAMES[other])
    return next(found, {})


def test_node_that_is_not_heard_directly_is_relayed(orbiting: Cluster) -> None:
    """It is a LEAF without a path, but with its version, as it talks through the root."""
    orbiting.isolate("B", "C")
    orbiting.wire.pass_time(2)
    assert entry(orbiting, "B", "C").items() >= RELAYED.items()
    assert entry(orbiting, "C", "B").items() >= RELAYED.items()
    assert entry(orbiting, "B", "A")["paths"] != []


def test_path_is_lost_after_ten_seconds_and_comes_back(orbiting: Cluster) -> None:
    """A direct path that goes silent turns into a relay, and back when it is heard again."""
    orbiting.wire.pass_time(2)
    orbiting.isolate("B", "C")
    orbiting.wire.pass_time(9)
    assert entry(orbiting, "B", "C")["paths"] != []
    orbiting.wire.pass_time(2)
    assert entry(orbiting, "B", "C").items() >= RELAYED.items()
    orbiting.wire.cut.clear()
    orbiting.wire.pass_time(1)
    assert entry(orbiting, "B", "C")["paths"] != []


def test_without_a_moon_no_one_is_relayed(cluster: Cluster) -> None:
    """Nodes that no root introduces are not listed while they are not heard."""
    cluster.isolate("B", "C")
    cluster.wire.pass_time(2)
    assert entry(cluster, "B", "C") == {}


def test_leaf_introduces_no_one(cluster: Cluster) -> None:
    """Only a root of a moon that the node orbits is believed: A is no root to B here."""
    cluster.orbit("A")
    cluster.isolate("B", "C")
    cluster.wire.pass_time(2)
    assert entry(cluster, "B", "C") == {}


def test_root_that_did_not_load_its_moon_introduces_no_one(cluster: Cluster) -> None:
    """To be named by a moon is not enough: A does not know that it is a root."""
    cluster.orbit("B", "C")
    cluster.isolate("B", "C")
    cluster.wire.pass_time(2)
    assert entry(cluster, "B", "A")["role"] == "MOON"
    assert entry(cluster, "B", "C") == {}


def tell(cluster: Cluster, **card: object) -> None:
    """Let root A tell B of C, as it would after a hello, with these facts."""
    own = {"version": [1, 14, 1], "port": 9993}
    known = own | {"identity": cluster["C"].identity.public, "endpoint": ["10.213.0.3", 9994]}
    heard = {"kind": "heard", "sent": 0, "moons": [], "met": [known | card]}
    message = heard | own | {"identity": cluster["A"].identity.public}
    cluster["B"].receive(message, (ADDRESSES["A"], 9994))


def test_introduction_of_another_identity_is_dropped(orbiting: Cluster) -> None:
    """An address that is known with one key is not taken over by a card with another."""
    orbiting.wire.pass_time(2)
    orbiting.isolate("B", "C")
    orbiting.isolate("A", "B")
    orbiting.wire.pass_time(11)
    tell(orbiting, identity=f"{NAMES['C']}:0:{'ab' * 64}")
    assert entry(orbiting, "B", "C") == {}
    tell(orbiting)
    assert entry(orbiting, "B", "C").items() >= RELAYED.items()


def test_introduction_leads_to_where_the_node_is_now(orbiting: Cluster) -> None:
    """A node that moved while it was not heard is met anew; a heard one stays where it is."""
    orbiting.network(private=False)
    orbiting["B"].join(NETWORK)
    orbiting["C"].join(NETWORK)
    orbiting.wire.pass_time(3)
    mac = network_mac(NAMES["C"], NETWORK)
    tell(orbiting, endpoint=["10.213.0.99", 9994])
    assert orbiting["B"].links()[0].peers == frozenset({(mac, ADDRESSES["C"])})
    orbiting.isolate("B", "C")
    orbiting.isolate("A", "C")
    orbiting.wire.pass_time(11)
    tell(orbiting, endpoint=["10.213.0.99", 9994])
    assert orbiting["B"].links()[0].peers == frozenset({(mac, "10.213.0.99")})


def test_relay_ends_with_the_orbit(orbiting: Cluster) -> None:
    """A node that left the moon has no root to send through, and goes on without."""
    orbiting["B"].join(f"{NAMES['C']}564a47")
    orbiting.isolate("B", "C")
    orbiting.wire.pass_time(2)
    assert orbiting["B"].networks()[0]["status"] == "NOT_FOUND"
    orbiting["C"].controller.update_network(f"{NAMES['C']}564a47", {"private": False})
    orbiting["B"].moons.deorbit(NAMES["A"])
    orbiting.wire.pass_time(3)
    assert orbiting["B"].networks()[0]["status"] == "NOT_FOUND"


def test_data_of_a_relayed_member_goes_straight(orbiting: Cluster) -> None:
    """The interface leads to where the root met the member: the network goes on working."""
    orbiting.network()
    for name, address in (("B", "172.29.0.2"), ("C", "172.29.0.3")):
        orbiting.authorize(name, address)
        orbiting[name].join(NETWORK)
    orbiting.isolate("B", "C")
    orbiting.wire.pass_time(3)
    expected = (network_mac(NAMES["C"], NETWORK), ADDRESSES["C"])
    assert orbiting["B"].links()[0].peers == frozenset({expected})


def test_controller_is_asked_through_the_root(cluster: Cluster) -> None:
    """A member whose controller is relayed gets its configuration, and keeps it up to date."""
    cluster.orbit("A", "B", "C")
    cluster.isolate("B", "C")
    nwid = f"{NAMES['C']}564a47"
    controller = cluster["C"].controller
    controller.update_network(nwid, {"name": "first", "private": False})
    cluster["B"].join(nwid)
    cluster.wire.pass_time(3)
    assert [(n["status"], n["name"]) for n in cluster["B"].networks()] == [("OK", "first")]
    controller.update_network(nwid, {"name": "second"})
    cluster.wire.pass_time(2)
    assert cluster["B"].networks()[0]["name"] == "second"


def test_relay_of_a_stranger_is_not_believed(orbiting: Cluster) -> None:
    """What a leaf says in another node's name is dropped, even from a known node."""
    orbiting["B"].join(NETWORK)
    orbiting.wire.pass_time()
    cards = {name: {"identity": orbiting[name].identity.public} for name in NAMES}
    inner = cards["A"] | {"kind": "answer", "nwid": NETWORK, "reply": {"status": "OK"}}
    wrapped = {"kind": "relay", "version": [1, 14, 1], "port": 9993, "to": NAMES["B"]}
    orbiting["B"].receive(cards["C"] | wrapped | {"inner": inner}, (ADDRESSES["C"], 9994))
    assert orbiting.shown("B")["status"] == "NOT_FOUND"


def test_command_prints_relay(
    served: Served, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a relayed node `peers` says RELAY, and `listpeers` shows no path."""
    moon = cluster.moon()
    root = cluster["B"].identity.public
    moon["roots"] = [{"identity": root, "stableEndpoints": [f"{ADDRESSES['B']}/9993"]}]
    cluster.orbit("B", "C", moon=moon)
    node = cluster["A"]
    node.moons.receive([moon], NAMES["B"])
    node.moons.orbit(NAMES["A"], NAMES["B"])
    node.moons.receive([moon], NAMES["B"])
    cluster.isolate("A", "C")
    cluster.wire.pass_time(2)
    assert cli.main([f"-D{served.home}", "peers"]) == 0
    assert f"{NAMES['C']} 1.14.1 LEAF      -1 RELAY" in capsys.readouterr().out.splitlines()
    assert cli.main([f"-D{served.home}", "listpeers"]) == 0
    line = f"200 listpeers {NAMES['C']} - -1 1.14.1 LEAF"
    assert line in capsys.readouterr().out.splitlines()


def test_relayed_node_goes_with_its_root(orbiting: Cluster) -> None:
    """Once the root is gone, no one vouches for a node that is not heard."""
    orbiting.isolate("B", "C")
    orbiting.wire.pass_time(2)
    orbiting.stop("A")
    orbiting.wire.pass_time(11)
    assert entry(orbiting, "B", "C") == {}
    assert entry(orbiting, "B", "A")["role"] == "MOON"


def test_member_keeps_its_network_and_a_new_join_waits_while_the_controller_is_down(
    cluster: Cluster,
) -> None:
    """What was configured stays OK; what is joined now stays in REQUESTING_CONFIGURATION."""
    cluster.network()
    cluster.authorize("B", "172.29.0.2")
    cluster["B"].join(NETWORK)
    cluster.wire.pass_time(2)
    cluster.stop("A")
    cluster["C"].join(NETWORK)
    cluster.wire.pass_time(12)
    assert (cluster.shown("B")["status"], cluster.shown("C")["status"]) == (
        "OK",
        "REQUESTING_CONFIGURATION",
    )
    assert entry(cluster, "C", "A") == {}
    assert cluster.shown("B")["assignedAddresses"] == ["172.29.0.2/24"]
