"""The command zerotier-cli: texts and JSON as the real one prints them."""

from __future__ import annotations

import http.client
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import VERSION_TEXT
from .identity import NETWORK_DIGITS

if TYPE_CHECKING:
    from collections.abc import Callable

HOME = Path("/var/lib/zerotier-one")
USAGE = (
    "Usage: zerotier-cli [-j] [-D<home>] [-p<port>] [-T<token>] "
    "info|listpeers|peers|listnetworks|join|leave|listmoons (a double of version 1.14.1)\n"
)
_OK = 200


@dataclass
class Options:
    """The command line, read."""

    json: bool = False
    home: Path = HOME
    port: str = ""
    token: str = ""
    words: list[str] = field(default_factory=list)


class UsageError(Exception):
    """A command line or a home directory that cannot be used; its text is what to print."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; exit status 0, 1 (the service refused or is down) or 2 (usage)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if "-v" in arguments:
        sys.stdout.write(f"{VERSION_TEXT}\n")
        return 0
    try:
        options = _parse(arguments)
        return _command(options)
    except UsageError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    except OSError as problem:
        sys.stdout.write(
            f"Error connecting to the ZeroTier service: {problem}\n\n"
            "Please check that the service is running and that TCP port 9993 can be contacted "
            "via 127.0.0.1.\n"
        )
        return 1


def _parse(arguments: list[str]) -> Options:
    options = Options()
    for argument in arguments:
        value = argument[2:]
        match argument[:2]:
            case "-j":
                options.json = True
            case "-D":
                options.home = Path(value)
            case "-p":
                options.port = value
            case "-T":
                options.token = value
            case flag if flag.startswith("-"):
                raise UsageError(USAGE.strip())
            case _:
                options.words.append(argument)
    return options


def _secret(home: Path, name: str) -> str:
    try:
        return (home / name).read_text("utf-8").strip()
    except OSError:
        message = f"zerotier-cli: {name} not found or readable in {home} (try again as root)"
        raise UsageError(message) from None


def _request(options: Options, method: str, path: str) -> tuple[int, str]:
    port = int(options.port or _secret(options.home, "zerotier-one.port"))
    token = options.token or _secret(options.home, "authtoken.secret")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = "{}" if method == "POST" else None
    connection.request(method, path, body, {"X-ZT1-Auth": token})
    response = connection.getresponse()
    return response.status, response.read().decode()


def _command(options: Options) -> int:
    command, *rest = options.words or [""]
    if command in {"join", "leave"}:
        return _membership(options, command, rest[0] if rest else "")
    if command not in _SHOWS:
        raise UsageError(USAGE.strip())
    path, text_of = _SHOWS[command]
    status, answer = _request(options, "GET", path)
    if status != _OK:
        sys.stdout.write(f"{status} {command} {answer}\n")
        return 1
    found = json.loads(answer)
    as_json = options.json or text_of is None
    if as_json or text_of is None:
        sys.stdout.write(json.dumps(found, indent=1, sort_keys=True) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in text_of(found)))
    return 0


def _membership(options: Options, command: str, nwid: str) -> int:
    if len(nwid) != NETWORK_DIGITS:
        sys.stdout.write("invalid network id\n")
        return 2
    method = "POST" if command == "join" else "DELETE"
    status, answer = _request(options, method, f"/network/{nwid}")
    if status != _OK:
        sys.stdout.write(f"{status} {command} {answer}\n")
        return 1
    sys.stdout.write(answer if options.json else f"200 {command} OK\n")
    return 0


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


_SHOWS: dict[str, tuple[str, Callable[[Any], list[str]] | None]] = {
    "info": ("/status", _info),
    "status": ("/status", _info),
    "listnetworks": ("/network", _networks),
    "listpeers": ("/peer", _list_peers),
    "peers": ("/peer", _peers),
    "listmoons": ("/moon", None),
}
