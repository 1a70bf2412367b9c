"""What differs between builds of the double: read from variant.json, which build.py writes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Variant:
    """One build: the version that it claims, and what it has.

    `controller`: answers below /controller, as builds up to 1.14 do. `roots`: every other node
    stands for a reachable root of ZeroTier's; without, only moons are roots, as in a network that
    is cut off from the internet.
    """

    version: str = "1.14.1"
    controller: bool = True
    roots: bool = True

    @property
    def numbers(self) -> tuple[int, int, int]:
        """Major, minor and revision."""
        major, minor, revision = (int(part) for part in self.version.split("."))
        return major, minor, revision


BUILT = Variant(**json.loads(Path(__file__).with_name("variant.json").read_text("utf-8")))
