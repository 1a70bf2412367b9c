"""The node: what it knows, what it answers, and its exchange with the networks' controllers.

`ask` goes to a network's controller once a second, `answer` brings state and configuration. How
nodes find each other is told in exchange.py.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from . import PROTOCOL_VERSION, info, local_conf
from .controller import Controller, milliseconds
from .exchange import Exchange
from .identity import network_mac, vxlan_id
from .links import Link
from .membership import Membership
from .variant import BUILT

if TYPE_CHECKING:
    from collections.abc import Callable

    from .exchange import Transport
    from .local_conf import LocalConf
    from .moons import Moons
    from .store import Home, Json
    from .variant import Variant

_JOINED = "networks.d"


class Node:
    """A ZeroTier node with its controller; every public method may be called from any thread."""

    def __init__(
        self,
        home: Home,
        transport: Transport,
        clock: Callable[[], int] = milliseconds,
        *,
        conf: LocalConf | None = None,
        variant: Variant = BUILT,
        opens_tun: Callable[[], bool] = lambda: True,
    ) -> None:
        """Load the node that lives in `home`; raises FatalError.

        `clock` gives ms since the epoch; `opens_tun` tells whether an interface can be made.
        """
        self.lock = threading.RLock()
        self.identity, self.variant = home.identity(), variant
        self.conf = local_conf.load(home) if conf is None else conf
        self.controller = Controller(home, self.identity.address, clock)
        self._home, self._transport, self._clock = home, transport, clock
        self._opens_tun = opens_tun
        self._exchange = Exchange(home, self.identity, transport, clock, self.conf, variant)
        kept = home.records(f"{_JOINED}/*.conf")
        self._joined = {
            nwid: Membership(nwid, self.identity.address, config) for nwid, config in kept.items()
        }
        self._open_ports()

    @property
    def moons(self) -> Moons:
        """The moons that this node orbits; hold the lock around every call."""
        return self._exchange.moons

    @property
    def collided(self) -> bool:
        """Whether a root told that another node has this node's address."""
        return self._exchange.collided

    @property
    def without_port(self) -> list[str]:
        """The joined networks whose interface could not be made."""
        with self.lock:
            return [nwid for nwid, joined in self._joined.items() if not joined.has_port]

    def status(self) -> Json:
        """Return what /status answers."""
        with self.lock:
            online = self._exchange.online
            listening = info.addresses(self._transport.local_addresses(), self.conf.ports)
            surface = sorted(listening) if online else []
            config = self.conf.shown(str(self._home.path), listening, surface)
            return info.status(self.identity, self.variant, self._clock(), config, online=online)

    def networks(self) -> list[Json]:
        """Return what /network answers: every joined network that has its interface, by id."""
        with self.lock:
            joined = (self._joined[nwid] for nwid in sorted(self._joined))
            return [membership.to_json() for membership in joined if membership.has_port]

    def peers(self) -> list[Json]:
        """Return what /peer answers."""
        with self.lock:
            return self._exchange.peers.to_json(self.moons.roots, self._clock())

    def join(self, nwid: str) -> Json:
        """Join a network; return it as it stands at once, {} where it gets no interface."""
        with self.lock:
            if nwid not in self._joined:
                self._joined[nwid] = Membership(nwid, self.identity.address)
                self._home.write(f"{_JOINED}/{nwid}.conf", {})
                self._open_ports()
            membership = self._joined[nwid]
            return membership.to_json() if membership.has_port else {}

    def leave(self, nwid: str) -> bool:
        """Leave a network; tell whether it was joined."""
        with self.lock:
            self._home.remove(f"{_JOINED}/{nwid}.conf")
            return self._joined.pop(nwid, None) is not None

    def tick(self) -> None:
        """Say hello and ask every controller; to be called about once a second."""
        with self.lock:
            self._open_ports()
            self._exchange.greet()
            for membership in list(self._joined.values()):
                ask = self._ask(membership.nwid)
                if membership.controller == self.identity.address:
                    self._answered(self._answer(ask))
                else:
                    self._exchange.send(ask, membership.controller)

    def receive(self, message: Json, endpoint: tuple[str, int]) -> None:
        """Handle a datagram of another node."""
        with self.lock:
            left = self._exchange.receive(message, endpoint)
            if left is None:
                return
            if left["kind"] == "ask":
                self._exchange.send(self._answer(left), _sender(left))
            elif left["kind"] == "answer":
                self._answered(left)

    def links(self) -> list[Link]:
        """Return the interfaces that should exist now, one a joined network."""
        with self.lock:
            return [self._link(joined) for joined in self._joined.values() if joined.has_port]

    def _open_ports(self) -> None:
        waiting = [joined for joined in self._joined.values() if not joined.has_port]
        if waiting and self._opens_tun():
            for membership in waiting:
                membership.has_port = True

    def _link(self, membership: Membership) -> Link:
        nwid = membership.nwid
        peers = {address: self._exchange.peers.get(address) for address in membership.talks_to}
        known = {address: peer.endpoint[0] for address, peer in peers.items() if peer is not None}
        return Link(
            device=membership.device,
            mac=membership.mac,
            vxlan_id=vxlan_id(nwid),
            mtu=membership.to_json()["mtu"],
            addresses=frozenset(membership.config.get("addresses", [])),
            peers=frozenset((network_mac(a, nwid), ip) for a, ip in known.items()),
        )

    def _ask(self, nwid: str) -> Json:
        versions = [*self.variant.numbers, PROTOCOL_VERSION]
        return self._exchange.message("ask", nwid=nwid, versions=versions)

    def _answer(self, ask: Json) -> Json:
        nwid = str(ask["nwid"])
        reply: Json = {"status": "NOT_FOUND"}
        if self.variant.controller:
            reply = self.controller.request(nwid, str(ask["identity"]), list(ask["versions"]))
        return self._exchange.message("answer", nwid=nwid, reply=reply)

    def _answered(self, answer: Json) -> None:
        membership = self._joined.get(answer["nwid"])
        # Left meanwhile, or not the answer of the network's own controller.
        if membership is None or _sender(answer) != membership.controller:
            return
        if membership.answer(answer["reply"]):
            self._home.write(f"{_JOINED}/{membership.nwid}.conf", membership.config)


def _sender(message: Json) -> str:
    return str(message["identity"]).partition(":")[0]
