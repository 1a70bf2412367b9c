"""The node: what it knows, what it answers, and what it says to other nodes.

Three exchanges run between nodes, each one JSON object a datagram:

- `hello` goes to everyone once a second and `heard` comes back: this replaces ZeroTier's roots;
- `ask` goes to a network's controller once a second, `answer` brings state and configuration.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from . import PROTOCOL_VERSION, VERSION, VERSION_TEXT
from .controller import Controller, milliseconds
from .identity import network_mac, vxlan_id
from .links import Link
from .membership import Membership
from .peers import ZEROTIER_PORT, Peer, peers_to_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from .store import Home, Json

_JOINED = "networks.d"
_PLANET = {"planetWorldId": 149604618, "planetWorldTimestamp": 1644592324813}


class Transport(Protocol):
    """Carries datagrams between nodes."""

    def send(self, message: Json, endpoint: tuple[str, int]) -> None:
        """Send to one node, given as IPv4 address and port."""

    def broadcast(self, message: Json) -> None:
        """Send to every node that can hear it."""

    def local_addresses(self) -> list[str]:
        """Return the underlay's own IPv4 addresses."""


class Node:
    """A ZeroTier node with its controller; every public method may be called from any thread."""

    def __init__(
        self, home: Home, transport: Transport, clock: Callable[[], int] = milliseconds
    ) -> None:
        """Load the node that lives in `home`; `clock` gives ms since the epoch."""
        self.lock = threading.RLock()
        self.identity = home.identity()
        self.controller = Controller(home, self.identity.address, clock)
        self._home, self._transport, self._clock = home, transport, clock
        self._peers: dict[str, Peer] = {}
        kept = home.records(f"{_JOINED}/*.conf")
        self._joined = {
            nwid: Membership(nwid, self.identity.address, config) for nwid, config in kept.items()
        }

    def status(self) -> Json:
        """Return what /status answers."""
        with self.lock:
            now = self._clock()
            online = any(peer.alive(now) for peer in self._peers.values())
            listening = [f"{ip}/{ZEROTIER_PORT}" for ip in self._transport.local_addresses()]
        settings = {
            "allowSecondaryPort": False,
            "allowTcpFallbackRelay": False,
            "forceTcpRelay": False,
            "homeDir": str(self._home.path),
            "listeningOn": listening,
            "portMappingEnabled": False,
            "primaryPort": ZEROTIER_PORT,
            "secondaryPort": 0,
            "softwareUpdate": "disable",
            "softwareUpdateChannel": "release",
            "surfaceAddresses": listening if online else [],
            "tertiaryPort": 0,
        }
        return {
            "address": self.identity.address,
            "clock": now,
            "config": {"settings": settings},
            "online": online,
            **_PLANET,
            "publicIdentity": self.identity.public,
            "tcpFallbackActive": False,
            "version": VERSION_TEXT,
            "versionBuild": 0,
            "versionMajor": VERSION[0],
            "versionMinor": VERSION[1],
            "versionRev": VERSION[2],
        }

    def networks(self) -> list[Json]:
        """Return what /network answers: every joined network, by id."""
        with self.lock:
            return [self._joined[nwid].to_json() for nwid in sorted(self._joined)]

    def peers(self) -> list[Json]:
        """Return what /peer answers."""
        with self.lock:
            return peers_to_json(self._peers, self._clock())

    def join(self, nwid: str) -> Json:
        """Join a network; return it as it stands at once."""
        with self.lock:
            if nwid not in self._joined:
                self._joined[nwid] = Membership(nwid, self.identity.address)
                self._home.write(f"{_JOINED}/{nwid}.conf", {})
            return self._joined[nwid].to_json()

    def leave(self, nwid: str) -> bool:
        """Leave a network; tell whether it was joined."""
        with self.lock:
            self._home.remove(f"{_JOINED}/{nwid}.conf")
            return self._joined.pop(nwid, None) is not None

    def tick(self) -> None:
        """Say hello and ask every controller; to be called about once a second."""
        with self.lock:
            hello = self._message("hello", sent=self._clock())
            asks = [(self._joined[nwid], self._ask(nwid)) for nwid in self._joined]
        self._transport.broadcast(hello)
        for membership, ask in asks:
            if membership.controller == self.identity.address:
                self._answered(self._answer(ask))
            else:
                self._send(ask, membership.controller)

    def receive(self, message: Json, endpoint: tuple[str, int]) -> None:
        """Handle a datagram of another node."""
        address = str(message["from"])
        if address == self.identity.address:
            return
        with self.lock:
            now = self._clock()
            peer = self._peers.setdefault(address, Peer(address, endpoint, now))
            peer.endpoint, peer.last_receive = endpoint, now
        kind = message["kind"]
        if kind == "hello":
            self._send(self._message("heard", sent=message["sent"]), address)
        elif kind == "heard":
            peer.latency = max(0, now - int(message["sent"]))
        elif kind == "ask":
            self._send(self._answer(message), address)
        elif kind == "answer":
            self._answered(message)

    def links(self) -> list[Link]:
        """Return the interfaces that should exist now, one a joined network."""
        with self.lock:
            return [self._link(membership) for membership in self._joined.values()]

    def _link(self, membership: Membership) -> Link:
        nwid = membership.nwid
        known = {a: self._peers[a].endpoint[0] for a in membership.talks_to if a in self._peers}
        return Link(
            device=membership.device,
            mac=membership.mac,
            vxlan_id=vxlan_id(nwid),
            mtu=membership.to_json()["mtu"],
            addresses=frozenset(membership.config.get("addresses", [])),
            peers=frozenset((network_mac(a, nwid), ip) for a, ip in known.items()),
        )

    def _message(self, kind: str, **content: object) -> Json:
        return {"kind": kind, "from": self.identity.address, **content}

    def _ask(self, nwid: str) -> Json:
        versions = [*VERSION, PROTOCOL_VERSION]
        return self._message("ask", nwid=nwid, identity=self.identity.public, versions=versions)

    def _answer(self, ask: Json) -> Json:
        nwid = str(ask["nwid"])
        with self.lock:
            reply = self.controller.request(nwid, str(ask["identity"]), list(ask["versions"]))
        return self._message("answer", nwid=nwid, reply=reply)

    def _answered(self, answer: Json) -> None:
        with self.lock:
            membership = self._joined.get(answer["nwid"])
            # Left meanwhile, or not the answer of the network's own controller.
            if membership is None or answer["from"] != membership.controller:
                return
            if membership.answer(answer["reply"]):
                self._home.write(f"{_JOINED}/{membership.nwid}.conf", membership.config)

    def _send(self, message: Json, address: str) -> None:
        with self.lock:
            peer = self._peers.get(address)
            if peer is None:
                return
            peer.last_send = self._clock()
            endpoint = peer.endpoint
        self._transport.send(message, endpoint)
