"""The answer to /status."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .identity import Identity
    from .store import Json
    from .variant import Variant

_PLANET = {"planetWorldId": 149604618, "planetWorldTimestamp": 1644592324813}


def addresses(local: list[str], ports: tuple[int, ...]) -> list[str]:
    """Return every address and port that a node would listen on."""
    return [f"{ip}/{port}" for ip in local for port in ports if port]


def status(identity: Identity, variant: Variant, now: int, config: Json, *, online: bool) -> Json:
    """Return /status; `now` in ms since the epoch, `config` as local_conf.py makes it."""
    major, minor, revision = variant.numbers
    return {
        "address": identity.address,
        "clock": now,
        "config": config,
        "online": online,
        **_PLANET,
        "publicIdentity": identity.public,
        "tcpFallbackActive": False,
        "version": variant.version,
        "versionBuild": 0,
        "versionMajor": major,
        "versionMinor": minor,
        "versionRev": revision,
    }
