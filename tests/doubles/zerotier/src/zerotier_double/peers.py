"""The other nodes that this one knows of: heard directly, or introduced by a moon's root."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from .store import Json

SILENT_AFTER_MS = 10_000
# ZeroTier's own roots, always listed; nothing in a laboratory reaches them.
ROOTS = ("62f865ae71", "778cde7190", "cafe04eba9", "cafe9efeb9")
_UNKNOWN = (-1, -1, -1)
_NEVER = -SILENT_AFTER_MS


@dataclass
class Peer:
    """A node: its identity, where it is on the underlay, and when (ms) it was heard of.

    `port` is the one that it shows as its own; `endpoint` is where its datagrams come from.
    """

    identity: str
    endpoint: tuple[str, int]
    version: tuple[int, int, int] = _UNKNOWN
    port: int = 0
    last_receive: int = _NEVER
    introduced: int = _NEVER
    last_send: int = 0
    latency: int = 0

    @property
    def address(self) -> str:
        """The node's address."""
        return self.identity.partition(":")[0]

    def direct(self, now: int) -> bool:
        """Tell whether the peer itself was heard lately."""
        return now - self.last_receive < SILENT_AFTER_MS

    def relayed(self, now: int) -> bool:
        """Tell whether the peer is known by a recent introduction only."""
        return not self.direct(now) and now - self.introduced < SILENT_AFTER_MS


@dataclass
class Peers:
    """Every peer by its address; one that fell silent stays known, but is not listed."""

    known: dict[str, Peer] = field(default_factory=dict)

    def get(self, address: str) -> Peer | None:
        """Return a peer, or None where it was never heard of."""
        return self.known.get(address)

    def is_other(self, identity: str) -> bool:
        """Tell whether another identity holds this identity's address already."""
        held = self.known.get(identity.partition(":")[0])
        return held is not None and held.identity != identity

    def heard(self, message: Json, endpoint: tuple[str, int], now: int) -> Peer:
        """Note a datagram that came from the peer itself."""
        peer = self._learn(message, endpoint)
        peer.endpoint, peer.last_receive = endpoint, now
        return peer

    def introduce(self, card: Json, now: int) -> None:
        """Note what a root tells of another node."""
        endpoint = (str(card["endpoint"][0]), int(card["endpoint"][1]))
        peer = self._learn(card, endpoint)
        peer.introduced = now
        if not peer.direct(now):
            peer.endpoint = endpoint

    def cards(self, now: int) -> list[Json]:
        """Return what a root tells of its living peers."""
        return [
            {
                "identity": peer.identity,
                "version": list(peer.version),
                "port": peer.port,
                "endpoint": list(peer.endpoint),
            }
            for peer in self.direct(now)
        ]

    def direct(self, now: int) -> Iterator[Peer]:
        """Yield every peer that was heard lately."""
        return (peer for peer in self.known.values() if peer.direct(now))

    def introduced(self, now: int) -> list[Peer]:
        """Return every peer that a root introduced lately, heard or not."""
        return [peer for peer in self.known.values() if now - peer.introduced < SILENT_AFTER_MS]

    def to_json(self, moon_roots: Collection[str], now: int) -> list[Json]:
        """Return what /peer answers: living and relayed nodes, and all roots, by address."""
        listed = {
            address for address, peer in self.known.items() if peer.direct(now) or peer.relayed(now)
        }
        return [
            _entry(address, _role(address, moon_roots), self.known.get(address), now)
            for address in sorted({*listed, *moon_roots, *ROOTS})
        ]

    def _learn(self, card: Json, endpoint: tuple[str, int]) -> Peer:
        identity = str(card["identity"])
        major, minor, revision = (int(part) for part in card["version"])
        peer = self.known.setdefault(identity.partition(":")[0], Peer(identity, endpoint))
        peer.version, peer.port = (major, minor, revision), int(card["port"])
        return peer


def _role(address: str, moon_roots: Collection[str]) -> str:
    if address in ROOTS:
        return "PLANET"
    return "MOON" if address in moon_roots else "LEAF"


def _entry(address: str, role: str, peer: Peer | None, now: int) -> Json:
    direct = peer is not None and peer.direct(now)
    version = peer.version if peer is not None else _UNKNOWN
    return {
        "address": address,
        "isBonded": False,
        "latency": peer.latency if peer is not None and direct else -1,
        "paths": [_path(peer)] if peer is not None and direct else [],
        "role": role,
        "tunneled": False,
        "version": ".".join(str(part) for part in version),
        "versionMajor": version[0],
        "versionMinor": version[1],
        "versionRev": version[2],
    }


def _path(peer: Peer) -> Json:
    return {
        "active": True,
        "address": f"{peer.endpoint[0]}/{peer.port}",
        "expired": False,
        "lastReceive": peer.last_receive,
        "lastSend": peer.last_send,
        "localPort": 0,
        "localSocket": id(peer),
        "preferred": True,
        "trustedPathId": 0,
    }
