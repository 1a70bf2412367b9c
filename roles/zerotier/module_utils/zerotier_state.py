"""What a joined network's state means: pure judgement on zerotier-one's own records."""

from __future__ import annotations

import ipaddress
from typing import Any

Json = dict[str, Any]

_CAUSES = {
    "REQUESTING_CONFIGURATION": (
        "the controller {controller} has not answered; check that zerotier-one runs on the "
        "controller's host and that UDP 9993 is open to it (zerotier-cli peers)"
    ),
    "ACCESS_DENIED": (
        "the controller {controller} does not authorize this member; run this play again, and "
        "see that no one else removes the authorization"
    ),
    "NOT_FOUND": (
        "the controller {controller} keeps no such network; run this play again without --limit "
        "to make it, and leave the lost one: zerotier-cli leave {network}"
    ),
    "PORT_ERROR": (
        "the network interface could not be made; check that /dev/net/tun exists with mode 0666, "
        "then look at: journalctl -u zerotier-one"
    ),
    "CLIENT_TOO_OLD": "zerotier-one is too old for its controller; install a newer version",
    "AUTHENTICATION_REQUIRED": "the network demands single sign-on, which servers cannot do",
}
_ABSENT = (
    "zerotier-one does not list the network although it joined; check that /dev/net/tun exists "
    "with mode 0666, then look at: journalctl -u zerotier-one"
)


def find(networks: list[Json], network_id: str) -> Json | None:
    """Return the network with that id among those that /network listed."""
    return next((network for network in networks if network["id"] == network_id), None)


def problem(network: Json | None, network_id: str, address: str) -> str:
    """Return why a network is not ready for use, with the next step, or '' where it is.

    Ready means: status OK, and exactly `address` (IPv4 with prefix length) on its interface.
    """
    if network is None:
        return f"status absent: {_ABSENT}"
    status = network["status"]
    if status != "OK":
        cause = _CAUSES.get(status, "unknown to this role; look at: journalctl -u zerotier-one")
        told = cause.format(controller=network_id[:10], network=network_id)
        return f"status {status}: {told}"
    held = [text for text in network["assignedAddresses"] if _is_ipv4(text)]
    if held != [address]:
        found = ", ".join(held) or "none"
        return (
            f"status OK, addresses found: {found}, expected: {address}; compare the member's "
            "ipAssignments and the network's routes on the controller"
        )
    return ""


def rival(networks: list[Json], network_id: str, cidr: str) -> str:
    """Return a line on another joined network that uses the same range, or '' where none does."""
    ours = ipaddress.ip_network(cidr)
    for network in networks:
        held = [text for text in network["assignedAddresses"] if _is_ipv4(text)]
        overlaps = [text for text in held if ipaddress.ip_interface(text).network.overlaps(ours)]
        if network["id"] != network_id and overlaps:
            return (
                f"it is also in the network {network['id']} ({network['name'] or 'no name'}) with "
                f"{', '.join(overlaps)}, inside {cidr}; leave that one: "
                f"zerotier-cli leave {network['id']}"
            )
    return ""


def _is_ipv4(text: str) -> bool:
    return isinstance(ipaddress.ip_interface(text), ipaddress.IPv4Interface)
