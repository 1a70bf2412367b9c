"""The texts that zerotier-cli prints for the lists it is asked for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def _info(found: Any) -> list[str]:
    state = "ONLINE" if found["online"] else "OFFLINE"
    return [f"200 info {found['address']} {found['version']} {state}"]


def _networks(found: Any) -> list[str]:
    lines = ["200 listnetworks <nwid> <name> <mac> <status> <type> <dev> <ZT assigned ips>"]
    for network in found:
        values = [network[key] for key in ("nwid", "name", "mac", "status", "type")]
        addresses = ",".join(network["assignedAddresses"]) or "-"
        values += [network["portDeviceName"], addresses]
        lines.append("200 listnetworks " + " ".join(values))
    return lines


def _path(peer: Any) -> tuple[str, int, int] | None:
    now = time.time_ns() // 1_000_000
    for path in peer["paths"]:
        if path["preferred"]:
            ages = [now - path[key] if path[key] else -1 for key in ("lastSend", "lastReceive")]
            return path["address"], ages[0], ages[1]
    return None


def _version(peer: Any) -> str:
    return peer["version"] if peer["versionMajor"] >= 0 else "-"


def _list_peers(found: Any) -> list[str]:
    lines = ["200 listpeers <ztaddr> <path> <latency> <version> <role>"]
    for peer in found:
        path = _path(peer)
        way = "{};{};{}".format(*path) if path else "-"
        values = (peer["address"], way, peer["latency"], _version(peer), peer["role"])
        lines.append("200 listpeers {} {} {} {} {}".format(*values))
    return lines


def _peers(found: Any) -> list[str]:
    lines = ["200 peers", "<ztaddr>   <ver>  <role> <lat> <link>   <lastTX> <lastRX> <path>"]
    for peer in found:
        path = _path(peer)
        way = f"DIRECT   {path[1]:<8} {path[2]:<8} {path[0]}" if path else "RELAY"
        values = (peer["address"], _version(peer), peer["role"], peer["latency"], way)
        lines.append("{} {:<6} {:<6} {:>5} {}".format(*values))
    return lines


# By command: the path of the API, and the text for its answer; None prints the answer itself.
SHOWS: dict[str, tuple[str, Callable[[Any], list[str]] | None]] = {
    "info": ("/status", _info),
    "status": ("/status", _info),
    "listnetworks": ("/network", _networks),
    "listpeers": ("/peer", _list_peers),
    "peers": ("/peer", _peers),
    "listmoons": ("/moon", None),
}
