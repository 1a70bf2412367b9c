"""A link of limited speed: a proxy on loopback that lets only so many bits a second through.

The named throttle where the kernel's own (tc, nftables) would slow down all of the machine's
loopback. Both directions have the same speed, each on its own, and all connections share it.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

_PIECE = 16 * 1024


class Link:
    """One direction: bytes leave when those before them have left at the link's speed."""

    def __init__(self, bits_per_second: float) -> None:
        """Begin idle."""
        self._bytes_per_second = bits_per_second / 8
        self._lock = threading.Lock()
        self._free_at = 0.0

    def pass_through(self, size: int) -> None:
        """Wait until `size` bytes have left."""
        with self._lock:
            self._free_at = max(self._free_at, time.monotonic()) + size / self._bytes_per_second
            wait = self._free_at - time.monotonic()
        if wait > 0:
            time.sleep(wait)


def _pump(source: socket.socket, target: socket.socket, link: Link) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            link.pass_through(len(piece))
            target.sendall(piece)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, target: int, links: tuple[Link, Link]) -> None:
    while True:
        try:
            near, _ = listener.accept()
            far = socket.create_connection(("127.0.0.1", target))
        except OSError:
            return
        for source, sink, link in ((near, far, links[0]), (far, near, links[1])):
            threading.Thread(target=_pump, args=(source, sink, link), daemon=True).start()


@contextlib.contextmanager
def throttled(port: int, target: int, bits_per_second: float) -> Iterator[None]:
    """Pass connections to `port` on to `target`, both on loopback, at the link's speed."""
    links = (Link(bits_per_second), Link(bits_per_second))
    with socket.create_server(("127.0.0.1", port)) as listener:
        threading.Thread(target=_accept, args=(listener, target, links), daemon=True).start()
        yield
        listener.shutdown(socket.SHUT_RDWR)
