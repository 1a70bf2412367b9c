"""What a node says to the others and hears from them, each one JSON object a datagram.

- `hello` goes to everyone once a second, and straight to the roots of moons and to whom they
  introduced; `heard` comes back, with newer moons and, from a root, with the nodes that it hears;
- `collision` answers a hello whose address another identity holds;
- `relay` carries any other message through a root to a node that is not heard directly;
- everything else (`ask` and `answer`, see node.py) is handed on.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Protocol

from .moons import Moons
from .peers import Peers

if TYPE_CHECKING:
    from collections.abc import Callable

    from .identity import Identity
    from .local_conf import LocalConf
    from .store import Home, Json
    from .variant import Variant

CONTROL_PORT = 9994


class Transport(Protocol):
    """Carries datagrams between nodes."""

    def send(self, message: Json, endpoint: tuple[str, int]) -> None:
        """Send to one node, given as IPv4 address and port."""

    def broadcast(self, message: Json) -> None:
        """Send to every node that can hear it."""

    def local_addresses(self) -> list[str]:
        """Return the underlay's own IPv4 addresses."""


class Exchange:
    """A node's peers and moons, and the messages that keep them true.

    The caller holds the node's lock around every method.
    """

    def __init__(
        self,
        home: Home,
        identity: Identity,
        transport: Transport,
        clock: Callable[[], int],
        conf: LocalConf,
        variant: Variant,
    ) -> None:
        """Start with the moons of the home directory and without any peer."""
        self.peers, self.moons = Peers(), Moons(home, identity.public)
        self.collided = False
        self._identity, self._transport, self._clock = identity, transport, clock
        self._conf, self._variant = conf, variant

    @property
    def online(self) -> bool:
        """Whether a root is reached: every node stands for one, unless the build has none."""
        heard = [peer.address for peer in self.peers.direct(self._clock())]
        if self._variant.roots and heard:
            return True
        return self.moons.is_root or any(address in self.moons.roots for address in heard)

    def message(self, kind: str, **content: object) -> Json:
        """Return a message of this node."""
        card = {
            "identity": self._identity.public,
            "version": self._variant.numbers,
            "port": self._conf.primary_port,
        }
        return {"kind": kind, **card, **content}

    def greet(self) -> None:
        """Say hello to everyone; to be called about once a second."""
        if self._conf.without_udp:
            return
        now = self._clock()
        avoid = [str(network) for network in self._conf.blacklist]
        hello = self.message("hello", sent=now, moons=self.moons.stamps, avoid=avoid)
        self._transport.broadcast(hello)
        stable = {text.rpartition("/")[0] for ends in self.moons.roots.values() for text in ends}
        straight = {(ip, CONTROL_PORT) for ip in stable if _is_ipv4(ip)}
        straight |= {peer.endpoint for peer in self.peers.introduced(now)}
        for endpoint in sorted(straight):
            self._transmit(hello, endpoint)

    def send(self, message: Json, address: str) -> None:
        """Send to a peer, through a moon's root where it is not heard directly."""
        peer, now = self.peers.get(address), self._clock()
        if peer is None:
            return
        if peer.relayed(now):
            message = self.message("relay", to=address, inner=message)
            roots = [other for other in self.peers.direct(now) if other.address in self.moons.roots]
            if not roots:
                return
            peer = roots[0]
        peer.last_send = now
        self._transmit(message, peer.endpoint)

    def receive(self, message: Json, endpoint: tuple[str, int]) -> Json | None:
        """Take a datagram; return the message of another node that the caller has to handle."""
        identity, kind = str(message["identity"]), message["kind"]
        address = identity.partition(":")[0]
        if address == self._identity.address or not self._may_meet(address, endpoint[0]):
            return None
        if self.peers.is_other(identity):
            if kind == "hello":
                self._transmit(self.message("collision"), endpoint)
            return None
        if self._is_avoided(message):
            return None
        now = self._clock()
        peer = self.peers.heard(message, endpoint, now)
        if kind == "hello":
            self._answer_hello(message, address)
        elif kind == "heard":
            peer.latency = max(0, now - int(message["sent"]))
            self.moons.receive(message["moons"], address)
            self._introduced(message["met"], address)
        elif kind == "collision":
            self.collided = self.collided or self._stands_for_root(address)
        elif kind == "relay":
            return self._relayed(message, address)
        else:
            return message
        return None

    def _answer_hello(self, hello: Json, address: str) -> None:
        met = self.peers.cards(self._clock()) if self.moons.is_root else []
        moons = self.moons.newer(hello["moons"])
        self.send(self.message("heard", sent=hello["sent"], moons=moons, met=met), address)

    def _introduced(self, cards: list[Json], teller: str) -> None:
        if teller not in self.moons.roots:
            return
        for card in cards:
            address = str(card["identity"]).partition(":")[0]
            if address != self._identity.address and not self.peers.is_other(card["identity"]):
                self.peers.introduce(card, self._clock())

    def _relayed(self, message: Json, teller: str) -> Json | None:
        """Return a relayed message that is for this node; a root passes on the others."""
        target, inner = str(message["to"]), message["inner"]
        if target == self._identity.address:
            return inner if teller in self.moons.roots else None
        peer = self.peers.get(target)
        if self.moons.is_root and peer is not None and peer.direct(self._clock()):
            self.send(self.message("relay", to=target, inner=inner), target)
        return None

    def _stands_for_root(self, address: str) -> bool:
        roots = self.moons.roots
        return address in roots or (not roots and self._variant.roots)

    def _may_meet(self, address: str, ip: str) -> bool:
        return self.moons.allows(address, ip) and not self._conf.blacklists(ip)

    def _is_avoided(self, message: Json) -> bool:
        """Tell whether the sender keeps away from this node: its broadcasts come all the same."""
        avoid = [ipaddress.ip_network(text) for text in message.get("avoid", [])]
        own = [ipaddress.ip_address(text) for text in self._transport.local_addresses()]
        return any(address in network for network in avoid for address in own)

    def _transmit(self, message: Json, endpoint: tuple[str, int]) -> None:
        if not self._conf.blacklists(endpoint[0]):
            self._transport.send(message, endpoint)


def _is_ipv4(ip: str) -> bool:
    try:
        return ipaddress.ip_address(ip).version == 4
    except ValueError:
        return False
