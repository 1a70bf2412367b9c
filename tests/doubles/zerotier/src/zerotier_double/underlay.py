"""The datagrams between nodes: UDP, by broadcast where the receiver is not known yet."""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING

from . import links
from .exchange import CONTROL_PORT

if TYPE_CHECKING:
    from .links import Interface
    from .local_conf import LocalConf
    from .node import Node
    from .store import Json

_LARGEST = 65507
_FRESH_SECONDS = 10.0


class Underlay:
    """The UDP socket of a node and the networks it reaches, without those that local.conf bars."""

    def __init__(self, conf: LocalConf) -> None:
        """Open the socket on every interface."""
        self._conf = conf
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self._socket.bind(("", CONTROL_PORT))
        self._known: list[Interface] = []
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
        for interface in self._interfaces():
            self.send(message, (interface.broadcast, CONTROL_PORT))

    def local_addresses(self) -> list[str]:
        """Return this machine's IPv4 addresses, the overlay's left out."""
        return [interface.address for interface in self._interfaces()]

    def serve(self, node: Node) -> None:
        """Hand every datagram to the node, for ever; what is no message of ours is dropped."""
        while True:
            data, endpoint = self._socket.recvfrom(_LARGEST)
            try:
                node.receive(json.loads(data), endpoint)
            except (ValueError, LookupError, TypeError):
                continue

    def _interfaces(self) -> list[Interface]:
        if time.monotonic() - self._known_since > _FRESH_SECONDS:
            self._known = [
                interface
                for interface in links.underlay()
                if not self._conf.ignores(interface.name)
                and not self._conf.blacklists(interface.address)
            ]
            self._known_since = time.monotonic()
        return self._known
