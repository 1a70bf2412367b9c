"""Messages to systemd (sd_notify), or to standard error where there is no systemd."""

import os
import socket
import sys
import time
from collections.abc import Callable

from server_monitoring.errors import printable


def sd_notify(message: str) -> bool:
    """Send `message` to the socket in NOTIFY_SOCKET; return False where there is none."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):  # how systemd writes Linux's abstract namespace
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        sock.sendto(message.encode(), address)
    return True


def tell(message: str, line: str) -> None:
    """Send `message` to systemd, or print `line` where there is none or it does not listen."""
    try:
        told = sd_notify(message)
    except OSError:
        told = False
    if not told:
        print(line, file=sys.stderr, flush=True)


def status(line: str) -> None:
    """Report a status, on one line and without what would control the terminal that shows it."""
    line = printable(line)
    tell(f"STATUS={line}", line)


def ready(line: str) -> None:
    """Report that the command has started, with its first status."""
    line = printable(line)
    tell(f"READY=1\nSTATUS={line}", f"ready: {line}")


class Status:
    """A status line, reported at most once per interval so that it costs nothing."""

    def __init__(self, interval: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        """Report at most once in `interval` seconds of `clock`."""
        self._interval = interval
        self._clock = clock
        self._next = clock()

    def due(self) -> bool:
        """Return whether an interval has passed since the last status."""
        return self._clock() >= self._next

    def tell(self, line: str) -> None:
        """Report `line` now."""
        self._next = self._clock() + self._interval
        status(line)
