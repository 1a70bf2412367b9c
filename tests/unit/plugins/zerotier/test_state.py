"""What the role says about a network's state, on captured answers of the real service."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.server_monitoring.cluster.plugins.module_utils.zerotier import state

from tests.support.zerotier_lab import NAMES, NETWORK, Json, capture
from tests.support.zerotier_runner import MODULES

ADDRESS = "172.29.0.2/24"
NO_ROOT = (
    "this node reaches no root, so it cannot find the controller 21c1e20656; open UDP 9993 to the "
    "outside, or on a site without internet put a host into the group zerotier_moons"
)
NO_CONTROLLER = (
    "the controller 21c1e20656 does not answer; check that zerotier-one runs on the controller's "
    "host and that UDP 9993 is open to it (zerotier-cli peers)"
)
SLOW = (
    "the controller 21c1e20656 is reached but sends no configuration; look at the controller's "
    "host: journalctl -u zerotier-one"
)
SILENT = "07-no-root.requesting-configuration.listnetworks.json"


class Captured:
    """An API that answers with captures."""

    def __init__(self, info: str, peers: str) -> None:
        """Answer /status and /peer with these files."""
        self._answers = {"/status": capture(info), "/peer": capture(peers)}

    def get(self, path: str) -> Any:
        """Return the answer."""
        return self._answers[path]


def line(file: str, network: str = NETWORK, view: Json | None = None) -> str:
    """Return what is said of a network in a captured list; it must be one line."""
    said = str(state.problem(state.find(capture(file), network), network, ADDRESS, view))
    assert "\n" not in said
    return said


@pytest.mark.parametrize(
    ("file", "network", "expected"),
    [
        (
            SILENT,
            NETWORK,
            ["status REQUESTING_CONFIGURATION: the controller 21c1e20656 does not answer", "9993"],
        ),
        ("23-access-denied.listnetworks.json", NETWORK, ["ACCESS_DENIED: ", "not authorize"]),
        ("30-deauthorized.listnetworks.B.json", NETWORK, ["ACCESS_DENIED: ", "not authorize"]),
        (
            "20-access-denied.controller-self.listnetworks.json",
            NETWORK,
            ["ACCESS_DENIED: the controller 21c1e20656 does not authorize"],
        ),
        (
            "32-not-found.listnetworks.json",
            "21c1e20656abcdef",
            [
                "NOT_FOUND: ",
                "run this play again to have it made",
                "zerotier-cli leave 21c1e20656abcdef",
            ],
        ),
        ("05-tun-permission-denied.listnetworks.json", NETWORK, ["absent: ", "/dev/net/tun"]),
        (
            "28-ok.listnetworks.C.json",
            NETWORK,
            ["addresses found: 172.29.0.3/24, expected: 172.29.0.2/24"],
        ),
    ],
)
def test_unready_network_is_explained(file: str, network: str, expected: list[str]) -> None:
    """Each state has one line with its cause and the next step."""
    assert all(part in line(file, network) for part in expected)


@pytest.mark.parametrize(
    ("info", "peers", "expected"),
    [
        ("33-controller-down.info.json", "33-controller-down.peers.json", NO_ROOT),
        ("13-custom-planet.info.json", "33-controller-down.peers.json", NO_CONTROLLER),
        ("13-custom-planet.info.json", "01-fresh-offline.peers.json", NO_CONTROLLER),
        ("12-moon-online.info.json", "12-moon-online.peers.json", SLOW),
        ("12-moon-root-itself.info.json", "12-moon-root-itself.peers.json", SLOW),
    ],
)
def test_silence_is_told_by_what_the_node_sees(info: str, peers: str, expected: str) -> None:
    """No root, a root but no controller, or a controller that says nothing; it may be the node."""
    view = MODULES["ready"].view(Captured(info, peers), NETWORK)
    assert line(SILENT, view=view) == f"status REQUESTING_CONFIGURATION: {expected}"


def test_port_of_local_conf_is_named() -> None:
    """Whoever is to open a port is told the one that this node uses."""
    api = Captured("33-controller-down.info.json", "33-controller-down.peers.json")
    api.get("/status")["config"]["settings"]["primaryPort"] = 29993
    assert "open UDP 29993 to the outside" in line(SILENT, view=MODULES["ready"].view(api, NETWORK))


@pytest.mark.parametrize("status", ["absent", "PORT_ERROR"])
def test_trouble_with_the_device_is_named(status: str) -> None:
    """What is wrong with the TUN device stands in the place of the usual suspect."""
    network = None if status == "absent" else {"status": status}
    said = state.problem(network, NETWORK, ADDRESS, {"device": "it is a file: remove it"})
    assert said.startswith(f"status {status}: ")
    assert said.endswith("; it is a file: remove it, then look at: journalctl -u zerotier-one")
    without = state.problem(network, NETWORK, ADDRESS, {"device": ""})
    assert without.endswith(
        "; check that /dev/net/tun exists with mode 0666, then look at: journalctl -u zerotier-one"
    )


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("CLIENT_TOO_OLD", "zerotier-one is too old for its controller; install a newer version"),
        (
            "AUTHENTICATION_REQUIRED",
            "the network demands single sign-on, which servers cannot do",
        ),
        ("NEW_STATE", "unknown to this role; look at: journalctl -u zerotier-one"),
    ],
)
def test_rare_status_is_explained(status: str, expected: str) -> None:
    """States without a capture have their line too, and an unknown one the place to look."""
    said = state.problem({"status": status}, NETWORK, ADDRESS)
    assert said == f"status {status}: {expected}"


@pytest.mark.parametrize(
    "file", ["25-ok.listnetworks.B.json", "33-controller-down.listnetworks.json"]
)
def test_ready_network_has_no_problem(file: str) -> None:
    """Status OK with exactly the expected address is ready, even if the controller is down."""
    assert line(file) == ""


def test_second_address_is_a_problem() -> None:
    """The expected address beside another one is not exactly that address."""
    network = capture("25-ok.listnetworks.B.json")[0]
    network["assignedAddresses"] = ["172.29.0.77/24", ADDRESS]
    assert "found: 172.29.0.77/24, 172.29.0.2/24" in state.problem(network, NETWORK, ADDRESS)


def test_missing_address_is_a_problem() -> None:
    """Status OK without an address is not ready."""
    network = capture("25-ok.listnetworks.B.json")[0] | {"assignedAddresses": []}
    assert "addresses found: none, expected: 172" in state.problem(network, NETWORK, ADDRESS)


def test_ipv6_address_is_no_concern() -> None:
    """A network that also gives IPv6 addresses is ready."""
    network = capture("25-ok.listnetworks.B.json")[0]
    network["assignedAddresses"].append("fd00::2/64")
    assert state.problem(network, NETWORK, ADDRESS) == ""


def test_other_network_in_the_same_range_is_a_rival() -> None:
    """A node that is in two networks with one range is told which one to leave."""
    networks = capture("25-ok.listnetworks.B.json")
    told = state.rival(networks, "aaaaaaaaaabbbbbb", "172.29.0.0/24")
    assert f"zerotier-cli leave {NETWORK}" in told
    assert state.rival(networks, NETWORK, "172.29.0.0/24") == ""
    assert state.rival(networks, "aaaaaaaaaabbbbbb", "10.0.0.0/8") == ""


@pytest.mark.parametrize(
    ("file", "peer", "expected"),
    [
        ("29-peers-with-leaf.B.json", "A", ("direct", 7, "10.213.0.1/9993")),
        ("29-peers-with-leaf.B.json", "C", ("direct", 0, "10.213.0.3/30303")),
        ("33-controller-down.peers.json", "A", ("relayed", -1, "")),
        ("12-moon-online.peers.json", "C", ("none", -1, "")),
    ],
)
def test_link_is_told_by_its_preferred_path(
    file: str, peer: str, expected: tuple[str, int, str]
) -> None:
    """A path makes it direct, none relayed; a peer that is not listed has no link."""
    link = state.link_to(capture(file), NAMES[peer])
    assert (link["link"], link["latency"], link["path"]) == expected


@pytest.mark.parametrize("changed", [{"active": False}, {"expired": True}])
def test_dead_path_is_none(changed: Json) -> None:
    """A path that expired, or is not in use, is no direct one."""
    peers = capture("33-controller-down.peers.json")
    peers[1]["paths"][0] |= changed
    assert state.link_to(peers, NAMES["C"])["link"] == "relayed"


def test_path_over_tcp_is_relayed() -> None:
    """A tunneled peer is reached through ZeroTier's TCP relay, whatever path it shows."""
    peers = capture("33-controller-down.peers.json")
    peers[1]["tunneled"] = True
    assert state.link_to(peers, NAMES["C"])["link"] == "relayed"
