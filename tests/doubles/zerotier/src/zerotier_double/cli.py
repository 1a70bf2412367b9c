"""The command zerotier-cli: texts and JSON as the real one prints them."""

from __future__ import annotations

import http.client
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

from .identity import NETWORK_DIGITS
from .listings import SHOWS
from .variant import BUILT
from .world import world_id

HOME = Path("/var/lib/zerotier-one")
USAGE = (
    "Usage: zerotier-cli [-j] [-D<home>] [-p<port>] [-T<token>] "
    "info|listpeers|peers|listnetworks|join|leave|listmoons|orbit|deorbit "
    f"(a double of version {BUILT.version})"
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
    """Run one command; exit status 0, 1 (the service refused or is down) or 2 (usage).

    Of a command that the double has not, the real one would print its help and exit with 0.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if "-v" in arguments:
        sys.stdout.write(f"{BUILT.version}\n")
        return 0
    try:
        options = _parse(arguments)
        return _command(options)
    except UsageError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    except OSError:
        command = options.words[0]
        if command not in SHOWS:
            sys.stdout.write(f"0 {command} connection failed\n")
            return 1
        sys.stdout.write(
            "Error connecting to the ZeroTier service: connection failed\n\n"
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
                raise UsageError(USAGE)
            case _:
                options.words.append(argument)
    return options


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8").strip()
    except OSError:
        return ""


def _port(options: Options) -> int:
    text = options.port or _read(options.home / "zerotier-one.port")
    if not text.isdecimal() or not 0 < int(text) < 1 << 16:
        missing = f"missing port and zerotier-one.port not found in {options.home}"
        message = f"zerotier-cli: {missing}"
        raise UsageError(message)
    return int(text)


def _token(options: Options) -> str:
    token = options.token or _read(options.home / "authtoken.secret")
    if not token:
        missing = f"authtoken.secret not found or readable in {options.home} (try again as root)"
        message = f"zerotier-cli: {missing}"
        raise UsageError(message)
    return token


def _request(options: Options, method: str, path: str, body: str = "{}") -> tuple[int, str]:
    port, token = _port(options), _token(options)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"X-ZT1-Auth": token}
    connection.request(method, path, body if method == "POST" else None, headers)
    response = connection.getresponse()
    return response.status, response.read().decode()


def _command(options: Options) -> int:
    command, first, second = [*options.words, "", "", ""][:3]
    if command in {"join", "leave"}:
        return _membership(options, command, first)
    if command == "orbit":
        return _orbit(options, first, second)
    if command == "deorbit":
        return _done(options, command, _request(options, "DELETE", f"/moon/{first}"))
    if command not in SHOWS:
        raise UsageError(USAGE)
    path, text_of = SHOWS[command]
    status, answer = _request(options, "GET", path)
    if status != _OK:
        sys.stdout.write(f"{status} {command} {answer}\n")
        return 1
    found = json.loads(answer)
    if options.json or text_of is None:
        sys.stdout.write(json.dumps(found, indent=1, sort_keys=True) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in text_of(found)))
    return 0


def _membership(options: Options, command: str, nwid: str) -> int:
    if len(nwid) != NETWORK_DIGITS:
        sys.stdout.write("invalid network id\n")
        return 2
    method = "POST" if command == "join" else "DELETE"
    return _done(options, command, _request(options, method, f"/network/{nwid}"))


def _orbit(options: Options, moon: str, seed: str) -> int:
    """Orbit a moon; ids that are none end in silence and exit status 0, as the real one's do."""
    _token(options)
    if not world_id(moon) or not world_id(seed):
        return 0
    answer = _request(options, "POST", f"/moon/{moon}", json.dumps({"seed": seed}))
    options.json = False
    return _done(options, "orbit", answer)


def _done(options: Options, command: str, answered: tuple[int, str]) -> int:
    status, answer = answered
    if status != _OK:
        sys.stdout.write(f"{status} {command} {answer}\n")
        return 1
    sys.stdout.write(answer if options.json else f"200 {command} OK\n")
    return 0
