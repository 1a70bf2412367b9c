"""The data plane: one VXLAN interface a network, made true with iproute2."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import Any, NamedTuple

# The same on every node, whatever its primaryPort: VXLAN has one port for both directions.
VXLAN_PORT = 9993
_FLOOD = "00:00:00:00:00:00"


@dataclass(frozen=True)
class Link:
    """An interface as it should be.

    `addresses` are IPv4 addresses with their prefix length; `peers` are pairs of another member's
    MAC address on the network and its IPv4 address on the underlay.
    """

    device: str
    mac: str
    vxlan_id: int
    mtu: int
    addresses: frozenset[str] = frozenset()
    peers: frozenset[tuple[str, str]] = frozenset()

    @property
    def forwarding(self) -> set[tuple[str, str]]:
        """Where frames go: a member's own to it, the rest (ARP, broadcast) to everyone."""
        return set(self.peers) | {(_FLOOD, ip) for _, ip in self.peers}


class Interface(NamedTuple):
    """A network interface of the underlay with one IPv4 address."""

    name: str
    address: str
    broadcast: str


def run(*command: str) -> str:
    """Run a command and return its output; raises CalledProcessError, its stderr within."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def apply(links: list[Link]) -> None:
    """Make exactly these interfaces true; leftovers of an earlier run go."""
    present = {entry["ifname"]: entry for entry in _show("link", "show", "type", "vxlan")}
    wanted = {link.device for link in links}
    for device in present:
        if device.startswith("zt") and device not in wanted:
            run("ip", "link", "delete", device)
    for link in links:
        _apply_device(link, present.get(link.device))
        _apply_addresses(link)
        _apply_forwarding(link)


def underlay() -> list[Interface]:
    """Return every IPv4 address of every interface that is not an overlay."""
    return [
        Interface(interface["ifname"], address["local"], address["broadcast"])
        for interface in _show("-4", "addr", "show", "up")
        if not interface["ifname"].startswith("zt")
        for address in interface["addr_info"]
        if "broadcast" in address
    ]


def _show(*arguments: str) -> list[dict[str, Any]]:
    found = json.loads(run("ip", "-j", *arguments) or "[]")
    # iproute2 prints an empty object for what a filter took out.
    return [entry for entry in found if entry]


def _apply_device(link: Link, present: dict[str, Any] | None) -> None:
    if present is None:
        kind = ("type", "vxlan", "id", str(link.vxlan_id), "dstport", str(VXLAN_PORT))
        run("ip", "link", "add", link.device, "address", link.mac, *kind, "nolearning")
    if present is None or present["mtu"] != link.mtu:
        run("ip", "link", "set", link.device, "mtu", str(link.mtu))
    if present is None or "UP" not in present["flags"]:
        run("ip", "link", "set", link.device, "up")


def _apply_addresses(link: Link) -> None:
    found = _show("-4", "addr", "show", "dev", link.device)
    held = {f"{at['local']}/{at['prefixlen']}" for entry in found for at in entry["addr_info"]}
    # Removal first: with a primary address the kernel drops its secondary ones.
    for address in held - link.addresses:
        run("ip", "addr", "delete", address, "dev", link.device)
    for address in sorted(link.addresses - held):
        run("ip", "addr", "add", address, "broadcast", "+", "dev", link.device)


def _apply_forwarding(link: Link) -> None:
    found = json.loads(run("bridge", "-j", "fdb", "show", "dev", link.device) or "[]")
    held = {(entry["mac"], entry["dst"]) for entry in found if "dst" in entry}
    for mac, ip in held - link.forwarding:
        run("bridge", "fdb", "delete", mac, "dev", link.device, "dst", ip)
    for mac, ip in sorted(link.forwarding - held):
        # Only the flooding entry may have several destinations.
        verb = "append" if mac == _FLOOD else "replace"
        run("bridge", "fdb", verb, mac, "dev", link.device, "dst", ip)
