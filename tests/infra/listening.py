"""Which sockets listen on a node, and whose they are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from testinfra.host import Host

LINE = re.compile(
    r"^LISTEN\s+\d+\s+\d+\s+(\S+):(\d+)\s+\S+\s*(?:users:\(\(\"([^\"]+)\",pid=(\d+))?"
)


@dataclass(frozen=True)
class Listener:
    """A TCP socket that listens: its address, port, and the process that holds it."""

    address: str
    port: int
    process: str
    pid: int


def listeners(host: Host) -> list[Listener]:
    """Return every listening TCP socket of the node."""
    found = []
    for line in host.check_output(
        "ss --tcp --listening --numeric --processes --no-header"
    ).splitlines():
        if match := LINE.match(line):
            address, port, process, pid = match.groups()
            # Java shows an IPv4 address as ::ffff:a.b.c.d.
            plain = address.strip("[]").removeprefix("::ffff:")
            found.append(Listener(plain, int(port), process or "", int(pid or 0)))
    return found


def writable(host: Host, pid: int, paths: Sequence[str]) -> list[str]:
    """Return the paths that root, seen from the mount namespace of process `pid`, can write to."""
    touched = 'f="$at/.sandbox-probe"; touch "$f" 2>/dev/null && rm "$f" && echo "$at"'
    probe = f"for at; do {touched}; done; true"
    inside = f"nsenter --target {pid} --mount -- sh -c %s probe {' '.join(paths)}"
    return str(host.check_output(inside, probe)).split()
