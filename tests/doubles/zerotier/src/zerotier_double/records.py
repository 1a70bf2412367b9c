"""The controller's records: what a fresh one holds and what a request may change in it.

Values of a wrong type fall back to what the record would hold, as zerotier-one does it: its API
answers 200 to nearly anything.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .store import Json

DEFAULT_MTU = 2800
_MTU_RANGE = (1280, 10000)


def new_network(nwid: str, now: int) -> Json:
    """Return a network's record as the controller makes it; `now` in ms since the epoch."""
    return {
        "authTokens": [None],
        "authorizationEndpoint": "",
        "capabilities": [],
        "clientId": "",
        "creationTime": now,
        "dns": [],
        "enableBroadcast": True,
        "id": nwid,
        "ipAssignmentPools": [],
        "mtu": DEFAULT_MTU,
        "multicastLimit": 32,
        "name": "",
        "nwid": nwid,
        "objtype": "network",
        "private": True,
        "remoteTraceLevel": 0,
        "remoteTraceTarget": None,
        "revision": 0,
        "routes": [],
        "rules": [{"not": False, "or": False, "type": "ACTION_ACCEPT"}],
        "rulesSource": "",
        "ssoEnabled": False,
        "tags": [],
        "v4AssignMode": {"zt": False},
        "v6AssignMode": {"6plane": False, "rfc4193": False, "zt": False},
    }


def new_member(nwid: str, address: str, now: int) -> Json:
    """Return a member's record before anything is known of it; `now` in ms since the epoch."""
    return {
        "activeBridge": False,
        "address": address,
        "authenticationExpiryTime": 0,
        "authorized": False,
        "capabilities": [],
        "creationTime": now,
        "id": address,
        "ipAssignments": [],
        "lastAuthorizedCredential": None,
        "lastAuthorizedCredentialType": None,
        "lastAuthorizedTime": 0,
        "lastDeauthorizedTime": 0,
        "noAutoAssignIps": False,
        "nwid": nwid,
        "objtype": "member",
        "remoteTraceLevel": 0,
        "remoteTraceTarget": None,
        "revision": 0,
        "ssoExempt": False,
        "tags": [],
        "vMajor": -1,
        "vMinor": -1,
        "vProto": -1,
        "vRev": -1,
    }


def change_network(record: Json, body: Json) -> Json:
    """Return a network's record with a request's settings taken over."""
    changed = dict(record)
    if "name" in body:
        changed["name"] = body["name"] if isinstance(body["name"], str) else ""
    for key in ("private", "enableBroadcast"):
        if key in body:
            changed[key] = body[key] is True
    if "multicastLimit" in body and isinstance(body["multicastLimit"], int):
        changed["multicastLimit"] = body["multicastLimit"]
    if "mtu" in body:
        wanted = body["mtu"] if isinstance(body["mtu"], int) else DEFAULT_MTU
        changed["mtu"] = min(max(wanted, _MTU_RANGE[0]), _MTU_RANGE[1])
    for key in ("v4AssignMode", "v6AssignMode"):
        if isinstance(body.get(key), dict):
            modes = changed[key] | body[key]
            changed[key] = {mode: modes[mode] is True for mode in record[key]}
    if isinstance(body.get("routes"), list):
        changed["routes"] = list(_routes(body["routes"]))
    if isinstance(body.get("ipAssignmentPools"), list):
        changed["ipAssignmentPools"] = list(_pools(body["ipAssignmentPools"]))
    return changed


def change_member(record: Json, body: Json, now: int) -> Json:
    """Return a member's record with a request's settings taken over."""
    changed = dict(record)
    for key in ("activeBridge", "noAutoAssignIps"):
        if key in body:
            changed[key] = body[key] is True
    if "name" in body:
        changed["name"] = body["name"] if isinstance(body["name"], str) else ""
    if isinstance(body.get("ipAssignments"), list):
        addresses = (str(text).partition("/")[0] for text in body["ipAssignments"])
        changed["ipAssignments"] = [text for text in addresses if _address(text) is not None]
    if "authorized" in body and (body["authorized"] is True) != changed["authorized"]:
        changed |= authorization(now, "api") if body["authorized"] is True else _refusal(now)
    return changed


def authorization(now: int, credential: str) -> Json:
    """Return the fields that change when a member is authorized."""
    return {
        "authorized": True,
        "lastAuthorizedTime": now,
        "lastAuthorizedCredentialType": credential,
        "lastAuthorizedCredential": None,
    }


def _refusal(now: int) -> Json:
    return {"authorized": False, "lastDeauthorizedTime": now}


def _address(text: object) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(str(text))
    except ValueError:
        return None


def _routes(routes: list[Any]) -> Iterator[Json]:
    for route in routes:
        if not isinstance(route, dict):
            continue
        try:
            target = ipaddress.ip_interface(str(route.get("target")))
        except ValueError:
            continue
        via = _address(route.get("via"))
        same_family = via is not None and via.version == target.version
        yield {"target": str(target), "via": str(via) if same_family else None}


def _pools(pools: list[Any]) -> Iterator[Json]:
    for pool in pools:
        if not isinstance(pool, dict):
            continue
        first, last = _address(pool.get("ipRangeStart")), _address(pool.get("ipRangeEnd"))
        if first is not None and last is not None and first.version == last.version:
            yield {"ipRangeStart": str(first), "ipRangeEnd": str(last)}
