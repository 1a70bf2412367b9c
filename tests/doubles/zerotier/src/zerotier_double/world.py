"""Moons as ZeroTier calls worlds of roots: made from their JSON, kept in files, shown by the API.

Where zerotier-one signs a moon with Curve25519, the double names the secret key's counterpart in
`signedBy`: enough to refuse an update that another key made, no protection against a forger.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from typing import TYPE_CHECKING, Any

from .identity import parse_identity

if TYPE_CHECKING:
    from .identity import Identity
    from .store import Json

_MOST_ROOTS, _MOST_ENDPOINTS = 4, 32
_KEY_BYTES = 64
_SIGNATURE_DIGITS = 192
_KEPT = ("id", "roots", "signature", "signedBy", "timestamp", "updatesMustBeSignedBy", "worldType")


class WorldError(Exception):
    """A moon's JSON that cannot be made into a moon; the text is what to print.

    `status` is the exit status that zerotier-idtool ends with.
    """

    def __init__(self, message: str, status: int) -> None:
        """Keep both."""
        super().__init__(message)
        self.status = status


def new_moon(root: Identity) -> Json:
    """Return the JSON of a fresh moon with one root, to be edited and handed to make()."""
    secret = secrets.token_hex(_KEY_BYTES)
    public = _public_key(secret)
    return {
        "id": root.address,
        "objtype": "world",
        "roots": [{"identity": root.public, "stableEndpoints": []}],
        "signingKey": public,
        "signingKey_SECRET": secret,
        "updatesMustBeSignedBy": public,
        "worldType": "moon",
    }


def make(moon: Any, name: str, now: int) -> Json:
    """Return a moon's record from its JSON, stamped with the time (ms); raises WorldError.

    `name` is the file that the JSON came from, for the message.
    """
    if not isinstance(moon, dict):
        message = f"{name} is not a JSON object"
        raise WorldError(message, 134)
    number = world_id(moon.get("id"))
    if not number:
        message = f"ID in {name} is invalid"
        raise WorldError(message, 1)
    if moon.get("worldType") not in {"moon", "planet"}:
        message = "invalid worldType"
        raise WorldError(message, 1)
    roots = moon.get("roots")
    made = [_root(root, name) for root in roots if isinstance(root, dict)] if roots else []
    signed_by = _public_key(str(moon.get("signingKey_SECRET", "")))
    record = {
        "id": f"{number:016x}",
        "roots": sorted(made, key=lambda root: str(root["identity"]))[:_MOST_ROOTS],
        "signedBy": signed_by,
        "timestamp": now,
        "updatesMustBeSignedBy": str(moon.get("updatesMustBeSignedBy", "")),
        "worldType": moon["worldType"],
    }
    digest = hashlib.shake_256(repr(sorted(record.items())).encode())
    return record | {"signature": digest.hexdigest(_SIGNATURE_DIGITS // 2)}


def shown(record: Json) -> Json:
    """Return a moon as /moon shows it."""
    hidden = {"signedBy", "worldType"}
    return {key: record[key] for key in _KEPT if key not in hidden} | {"waiting": False}


def waiting(moon: str) -> Json:
    """Return a moon that is wanted but not known yet, as /moon shows it."""
    empty = {"roots": [], "timestamp": 0, "signature": None, "updatesMustBeSignedBy": None}
    return {"id": moon, **empty, "waiting": True}


def is_moon(record: Any, moon: str) -> bool:
    """Tell whether a file's or datagram's content is the record of the moon with that id."""
    return (
        isinstance(record, dict)
        and all(key in record for key in _KEPT)
        and (record["id"], record["worldType"]) == (moon, "moon")
    )


def replaces(new: Json, old: Json) -> bool:
    """Tell whether a moon's record is a newer one, signed with the key that the old one demands."""
    return bool(
        new["timestamp"] > old["timestamp"] and new["signedBy"] == old["updatesMustBeSignedBy"]
    )


def world_id(text: object) -> int:
    """Return an id of hexadecimal digits as a number, 0 where it is none."""
    try:
        return int(str(text), 16) & 0xFFFF_FFFF_FFFF_FFFF
    except ValueError:
        return 0


def endpoint(text: str) -> str:
    """Return a stable endpoint as `address/port`, empty where it cannot be read."""
    address, _, port = text.partition("/")
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        return ""
    return f"{read}/{int(port) & 0xFFFF if port.isdecimal() else 0}"


def _root(root: Json, name: str) -> Json:
    identity = parse_identity(str(root.get("identity", "")))
    if identity is None:
        message = f"{name} names a root without a valid identity"
        raise WorldError(message, 134)
    endpoints = root.get("stableEndpoints")
    texts = [endpoint(str(text)) for text in endpoints] if isinstance(endpoints, list) else []
    return {"identity": identity.public, "stableEndpoints": sorted(texts)[:_MOST_ENDPOINTS]}


def _public_key(secret: str) -> str:
    return hashlib.sha512(secret.encode()).hexdigest()
