"""The moons that a node orbits: loaded from its home, asked of a seed, renewed by their roots."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from . import world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .store import Home, Json

_FOLDER = "moons.d"


class Moons:
    """A node's moons by their 16 digits, and those that it wants from a seed.

    Guarantee: what was orbited is orbited again after a restart, once its record was had.
    """

    def __init__(self, home: Home, identity: str) -> None:
        """Load every moon that lies in the home directory; `identity` is the node's public one."""
        self._home, self._identity = home, identity
        self._held: dict[str, Json] = {}
        self._seeds: set[tuple[str, str]] = set()
        for file in sorted((home.path / _FOLDER).glob("*.moon")):
            self._load(file.stem)

    @property
    def roots(self) -> dict[str, list[str]]:
        """The other nodes that are roots of a moon, by address, with their stable endpoints."""
        found: dict[str, list[str]] = {}
        for identity, endpoints in self._all_roots():
            if identity != self._identity:
                found.setdefault(identity.partition(":")[0], []).extend(endpoints)
        return found

    @property
    def is_root(self) -> bool:
        """Whether this node is a root of a moon that it orbits."""
        return any(identity == self._identity for identity, _ in self._all_roots())

    @property
    def stamps(self) -> dict[str, int]:
        """Each moon's time stamp, 0 for one that is wanted: what a hello tells."""
        held = {moon: int(record["timestamp"]) for moon, record in self._held.items()}
        return dict.fromkeys((moon for moon, _ in self._seeds), 0) | held

    def listed(self) -> list[Json]:
        """Return what /moon answers: the known moons, not those still waited for."""
        return [world.shown(record) for record in self._held.values()]

    def show(self, digits: str) -> Json:
        """Return one moon as /moon/<id> shows it, an empty object where it is not known."""
        record = self._held.get(_moon(digits))
        return world.shown(record) if record else {}

    def orbit(self, digits: str, seed: object) -> Json:
        """Orbit a moon that is known to a seed, given as its address in hexadecimal digits."""
        moon, address = _moon(digits), world.world_id(seed if isinstance(seed, str) else 0)
        if moon in self._held or not address:
            return self.show(digits)
        if not self._load(moon):
            self._seeds.add((moon, f"{address:010x}"))
        return world.waiting(moon)

    def deorbit(self, digits: str) -> Json:
        """Forget a moon and its file."""
        moon = _moon(digits)
        self._held.pop(moon, None)
        self._seeds = {pair for pair in self._seeds if pair[0] != moon}
        self._home.remove(f"{_FOLDER}/{moon}.moon")
        return {"result": True}

    def newer(self, stamps: Json) -> list[Json]:
        """Return the moons that a node asks for, or holds in an older state."""
        return [
            record
            for moon, record in self._held.items()
            if moon in stamps and record["timestamp"] > stamps[moon]
        ]

    def receive(self, records: list[Json], teller: str) -> None:
        """Take over moons that a root or a seed tells; anyone else is not believed."""
        for record in records:
            moon = str(record["id"])
            if not world.is_moon(record, moon):
                continue
            old = self._held.get(moon)
            is_root = any(root["identity"].startswith(teller) for root in record["roots"])
            if old is None:
                accepted = (moon, teller) in self._seeds and is_root
            else:
                accepted = teller in self.roots and world.replaces(record, old)
            if accepted:
                self._keep(moon, record)

    def allows(self, address: str, ip: str) -> bool:
        """Tell whether a node may be met at an underlay address: a root only where its moon says.

        A root without stable endpoints may be met anywhere.
        """
        endpoints = self.roots.get(address)
        return not endpoints or any(text.partition("/")[0] == ip for text in endpoints)

    def _all_roots(self) -> Iterator[tuple[str, list[str]]]:
        for record in self._held.values():
            for root in record["roots"]:
                yield root["identity"], root["stableEndpoints"]

    def _load(self, moon: str) -> bool:
        try:
            record = json.loads(self._home.read(f"{_FOLDER}/{moon}.moon"))
        except ValueError:
            return False
        if not world.is_moon(record, moon):
            return False
        self._held[moon] = record
        return True

    def _keep(self, moon: str, record: Json) -> None:
        self._seeds = {pair for pair in self._seeds if pair[0] != moon}
        self._held[moon] = record
        self._home.write(f"{_FOLDER}/{moon}.moon", record)


def _moon(digits: str) -> str:
    return f"{world.world_id(digits):016x}"
