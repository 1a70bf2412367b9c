"""What the role says about a network's state, on captured answers of the real service."""

from __future__ import annotations

import pytest
from ansible.module_utils import zerotier_state as state
from zerotier_lab import NETWORK, capture

ADDRESS = "172.29.0.2/24"


@pytest.mark.parametrize(
    ("file", "network", "expected"),
    [
        (
            "07-no-root.requesting-configuration.listnetworks.json",
            NETWORK,
            ["status REQUESTING_CONFIGURATION: the controller 21c1e20656 has not answered", "9993"],
        ),
        ("23-access-denied.listnetworks.json", NETWORK, ["ACCESS_DENIED: ", "not authorize"]),
        ("30-deauthorized.listnetworks.B.json", NETWORK, ["ACCESS_DENIED: ", "not authorize"]),
        (
            "32-not-found.listnetworks.json",
            "21c1e20656abcdef",
            ["NOT_FOUND: ", "zerotier-cli leave 21c1e20656abcdef"],
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
    line = state.problem(state.find(capture(file), network), network, ADDRESS)
    assert all(part in line for part in expected)
    assert "\n" not in line


@pytest.mark.parametrize(
    "file", ["25-ok.listnetworks.B.json", "33-controller-down.listnetworks.json"]
)
def test_ready_network_has_no_problem(file: str) -> None:
    """Status OK with exactly the expected address is ready, even if the controller is down."""
    assert state.problem(state.find(capture(file), NETWORK), NETWORK, ADDRESS) == ""


def test_second_address_is_a_problem() -> None:
    """The expected address beside another one is not exactly that address."""
    network = capture("25-ok.listnetworks.B.json")[0]
    network["assignedAddresses"] = ["172.29.0.77/24", ADDRESS]
    assert "found: 172.29.0.77/24, 172.29.0.2/24" in state.problem(network, NETWORK, ADDRESS)


def test_ipv6_address_is_no_concern() -> None:
    """A network that also gives IPv6 addresses is ready."""
    network = capture("25-ok.listnetworks.B.json")[0]
    network["assignedAddresses"].append("fd00::2/64")
    assert state.problem(network, NETWORK, ADDRESS) == ""


def test_unknown_status_points_at_the_journal() -> None:
    """A state that this role has never heard of is passed on with the place to look."""
    line = state.problem({"status": "NEW_STATE"}, NETWORK, ADDRESS)
    assert line.startswith("status NEW_STATE: ")
    assert "journalctl" in line


def test_other_network_in_the_same_range_is_a_rival() -> None:
    """A node that is in two networks with one range is told which one to leave."""
    networks = capture("25-ok.listnetworks.B.json")
    line = state.rival(networks, "aaaaaaaaaabbbbbb", "172.29.0.0/24")
    assert f"zerotier-cli leave {NETWORK}" in line
    assert state.rival(networks, NETWORK, "172.29.0.0/24") == ""
    assert state.rival(networks, "aaaaaaaaaabbbbbb", "10.0.0.0/8") == ""
