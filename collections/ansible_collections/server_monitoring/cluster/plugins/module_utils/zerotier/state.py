"""What a node's own records mean: pure judgement on what zerotier-one answers."""

from __future__ import annotations

import ipaddress
from typing import Any

Json = dict[str, Any]

_CAUSES = {
    "ACCESS_DENIED": (
        "the controller {controller} does not authorize this member; run this play again, and "
        "see that no one else removes the authorization"
    ),
    "NOT_FOUND": (
        "the controller {controller} keeps no such network any more; run this play again to have "
        "it made; one that a person joined: zerotier-cli leave {network}"
    ),
    "PORT_ERROR": "the network interface could not be made; {device}",
    "CLIENT_TOO_OLD": "zerotier-one is too old for its controller; install a newer version",
    "AUTHENTICATION_REQUIRED": "the network demands single sign-on, which servers cannot do",
}
_NO_ROOT = (
    "this node reaches no root, so it cannot find the controller {controller}; open UDP {port} to "
    "the outside, or on a site without internet put a host into the group zerotier_moons"
)
_NO_CONTROLLER = (
    "the controller {controller} does not answer; check that zerotier-one runs on the controller's "
    "host and that UDP {port} is open to it (zerotier-cli peers)"
)
_SLOW_CONTROLLER = (
    "the controller {controller} is reached but sends no configuration; look at the controller's "
    "host: journalctl -u zerotier-one"
)
# A quiet path carries a heartbeat every 14 s.
_LATELY_MS = 30_000
_LOOK = "look at: journalctl -u zerotier-one"


def find(networks: list[Json], network_id: str) -> Json | None:
    """Return the network with that id among those that /network listed."""
    return next((network for network in networks if network["id"] == network_id), None)


def path_to(peers: list[Json], address: str) -> str:
    """Return the underlay address of the direct path to a peer, or '' where there is none."""
    paths = (path for peer in peers if peer["address"] == address for path in peer["paths"])
    usable = [path for path in paths if path["active"] and not path["expired"]]
    chosen = sorted(usable, key=lambda path: not path["preferred"])
    return str(chosen[0]["address"]) if chosen else ""


def heard(peers: list[Json], clock: int) -> set[str]:
    """Return the addresses of the peers heard lately; `clock` is the node's own, in ms.

    A path alone proves nothing: the service keeps one for minutes after its other end has gone.
    """
    return {
        peer["address"]
        for peer in peers
        if any(clock - path["lastReceive"] < _LATELY_MS for path in peer["paths"])
    }


def link_to(peers: list[Json], address: str) -> Json:
    """Return how a peer is reached: {link: direct, relayed or none, latency in ms, path}.

    A peer without a direct path is relayed by a root, or over TCP (`tunneled`); one that is not
    listed is not linked at all. Latency is -1 where it is not known.
    """
    peer = next((found for found in peers if found["address"] == address), None)
    if peer is None:
        return {"link": "none", "latency": -1, "path": ""}
    path = path_to(peers, address)
    link = "direct" if path and not peer["tunneled"] else "relayed"
    return {"link": link, "latency": peer["latency"], "path": path}


def problem(network: Json | None, network_id: str, address: str, view: Json | None = None) -> str:
    """Return why a network is not ready for use, with the next step, or '' where it is.

    Ready means: status OK, and exactly `address` (IPv4 with prefix length) on its interface.
    `view` is what else the node sees: {online: bool, controller: bool (it has a path to it),
    device: what is wrong with the TUN device, port}; without it the usual suspects are named.
    """
    seen = {"online": True, "controller": False, "device": "", "port": 9993} | (view or {})
    known = {"controller": network_id[:10], "network": network_id, "port": seen["port"]}
    device = f"{seen['device'] or 'check that /dev/net/tun exists with mode 0666'}, then {_LOOK}"
    if network is None:
        return f"status absent: zerotier-one does not list the network although it joined; {device}"
    status = network["status"]
    if status == "REQUESTING_CONFIGURATION":
        return f"status {status}: {_silence(seen).format(**known)}"
    if status != "OK":
        cause = _CAUSES.get(status, f"unknown to this role; {_LOOK}")
        return f"status {status}: {cause.format(device=device, **known)}"
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


def _silence(seen: Json) -> str:
    if seen["controller"]:
        return _SLOW_CONTROLLER
    return _NO_CONTROLLER if seen["online"] else _NO_ROOT


def _is_ipv4(text: str) -> bool:
    return isinstance(ipaddress.ip_interface(text), ipaddress.IPv4Interface)
