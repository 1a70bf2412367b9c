"""The datagrams between nodes: UDP, by broadcast where the receiver is not known yet."""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING

from . import links

if TYPE_CHECKING:
    from .node import Node
    from .store import Json

PORT = 9994
_LARGEST = 65507
_FRESH_SECONDS = 10.0


class Underlay:
    """The UDP socket of a node and the networks it reaches; needs no configuration."""

    def __init__(self) -> None:
        """Open the socket on every interface."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self._socket.bind(("", PORT))
        self._known: list[tuple[str, str]] = []
        self._known_since = float("-inf")

    def send(self, message: Json, endpoint: tuple[str, int]) -> None:
        """Send to one node; a lost datagram is like any other: the next tick sends again."""
        try:
            self._socket.sendto(json.dumps(message).encode(), endpoint)
        except OSError:
            # The interface went away or is not up yet.
            self._known_since = float("-inf")

    def broadcast(self, message: Json) -> None:
        """Send to every node on every network of this machine."""
        for _, everyone in self._interfaces():
            self.send(message, (everyone, PORT))

    def local_addresses(self) -> list[str]:
        """Return this machine's IPv4 addresses, the overlay's left out."""
        return [address for address, _ in self._interfaces()]

    def serve(self, node: Node) -> None:
        """Hand every datagram to the node, for ever; what is no message of ours is dropped."""
        while True:
            data, endpoint = self._socket.recvfrom(_LARGEST)
            try:
                node.receive(json.loads(data), endpoint)
            except (ValueError, KeyError, TypeError):
                continue

    def _interfaces(self) -> list[tuple[str, str]]:
        if time.monotonic() - self._known_since > _FRESH_SECONDS:
            self._known = links.underlay_addresses()
            self._known_since = time.monotonic()
        return self._known
