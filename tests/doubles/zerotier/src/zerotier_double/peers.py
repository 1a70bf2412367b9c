"""The other nodes that this one hears of, in place of zerotier-one's roots and paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import VERSION, VERSION_TEXT

if TYPE_CHECKING:
    from .store import Json

SILENT_AFTER_MS = 10_000
ZEROTIER_PORT = 9993
# ZeroTier's own roots, always listed; nothing in a laboratory reaches them.
ROOTS = ("62f865ae71", "778cde7190", "cafe04eba9", "cafe9efeb9")


@dataclass
class Peer:
    """A node heard of: its address, where its datagrams come from, and when (ms)."""

    address: str
    endpoint: tuple[str, int]
    last_receive: int
    last_send: int = 0
    latency: int = 0

    def alive(self, now: int) -> bool:
        """Tell whether the peer was heard of lately."""
        return now - self.last_receive < SILENT_AFTER_MS


def peers_to_json(peers: dict[str, Peer], now: int) -> list[Json]:
    """Return what /peer answers: the living nodes and the unreachable roots, by address."""
    alive = {address: peer for address, peer in peers.items() if peer.alive(now)}
    return [
        _leaf(alive[address]) if address in alive else _root(address)
        for address in sorted({*alive, *ROOTS})
    ]


def _leaf(peer: Peer) -> Json:
    path = {
        "active": True,
        "address": f"{peer.endpoint[0]}/{ZEROTIER_PORT}",
        "expired": False,
        "lastReceive": peer.last_receive,
        "lastSend": peer.last_send,
        "localPort": 0,
        "localSocket": id(peer),
        "preferred": True,
        "trustedPathId": 0,
    }
    return _entry(peer.address, "LEAF", peer.latency, VERSION_TEXT, VERSION) | {"paths": [path]}


def _root(address: str) -> Json:
    return _entry(address, "PLANET", -1, "-1.-1.-1", (-1, -1, -1))


def _entry(address: str, role: str, latency: int, text: str, version: tuple[int, int, int]) -> Json:
    return {
        "address": address,
        "isBonded": False,
        "latency": latency,
        "paths": [],
        "role": role,
        "tunneled": False,
        "version": text,
        "versionMajor": version[0],
        "versionMinor": version[1],
        "versionRev": version[2],
    }
