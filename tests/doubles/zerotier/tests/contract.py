"""How an answer of the double is held against what the real service answered."""

from __future__ import annotations

import re
from typing import Any

# Moments, ports, durations and counters of one machine: their type is held, not their value.
MOMENTARY = {
    "clock",
    "creationTime",
    "lastAuthorizedTime",
    "lastDeauthorizedTime",
    "lastReceive",
    "lastSend",
    "latency",
    "localSocket",
}


def assert_like(real: Any, double: Any, free: frozenset[str] = frozenset(), at: str = "") -> None:
    """Hold an answer against a capture: same keys, same types, and same values but for `free`."""
    assert type(real) is type(double), f"{at}: {type(double)} instead of {type(real)}"
    if isinstance(real, dict):
        assert real.keys() == double.keys(), at
        for key, value in real.items():
            if key not in free:
                skip = key in MOMENTARY
                check = _assert_same_kind if skip else assert_like
                check(value, double[key], free, f"{at}.{key}")
    elif isinstance(real, list):
        assert len(real) == len(double), at
        for number, pair in enumerate(zip(real, double, strict=True)):
            assert_like(*pair, free, f"{at}[{number}]")
    else:
        assert real == double, at


def _assert_same_kind(real: Any, double: Any, _free: frozenset[str], at: str) -> None:
    assert type(real) is type(double), at
    # Zero says "never": that is a state, not a moment.
    assert bool(real) == bool(double) or at.endswith("latency"), at


def one_path(peers: Any) -> Any:
    """Return captured peers with the preferred path alone, at ZeroTier's first port.

    The real nodes of the captures had three ports, and a path for each; the double has one.
    """
    for peer in peers:
        sent = max((path["lastSend"] for path in peer["paths"]), default=0)
        peer["paths"] = [path for path in peer["paths"] if path["preferred"]]
        for path in peer["paths"]:
            path["lastSend"] = sent
            path["address"] = re.sub(r"/\d+$", "/9993", path["address"])
    return peers
