"""Central's records as they are before anyone changes them, with every key of the specification."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

OWNER = "00000000-0000-0000-0000-000000000000"


def new_network(network_id: str, now: int) -> Json:
    """Return a network's record as Central makes it; `now` in ms since the epoch."""
    return {
        "id": network_id,
        "clock": now,
        "config": {
            "id": network_id,
            "creationTime": now,
            "capabilities": [],
            "dns": {"domain": "", "servers": []},
            "enableBroadcast": True,
            "ipAssignmentPools": [],
            "lastModified": now,
            "mtu": 2800,
            "multicastLimit": 32,
            "name": "",
            "private": True,
            "routes": [],
            "rules": [{"not": False, "or": False, "type": "ACTION_ACCEPT"}],
            "ssoConfig": {"enabled": False, "mode": "default"},
            "tags": [],
            "v4AssignMode": {"zt": True},
            "v6AssignMode": {"6plane": False, "rfc4193": False, "zt": False},
        },
        "description": "",
        "rulesSource": "accept;",
        "permissions": {OWNER: {"a": True, "d": True, "m": True, "r": True}},
        "ownerId": OWNER,
        "onlineMemberCount": 0,
        "authorizedMemberCount": 0,
        "totalMemberCount": 0,
        "capabilitiesByName": {},
        "tagsByName": {},
    }


def new_member(network_id: str, address: str, now: int) -> Json:
    """Return a member's record before it ever joined; `now` in ms since the epoch."""
    return {
        "id": f"{network_id}-{address}",
        "clock": now,
        "networkId": network_id,
        "nodeId": address,
        "controllerId": network_id[:10],
        "hidden": False,
        "name": "",
        "description": "",
        "config": {
            "activeBridge": False,
            "authorized": False,
            "capabilities": [],
            "creationTime": now,
            "id": address,
            "identity": "",
            "ipAssignments": [],
            "lastAuthorizedTime": 0,
            "lastDeauthorizedTime": 0,
            "noAutoAssignIps": False,
            "revision": 0,
            "ssoExempt": False,
            "tags": [],
            "vMajor": -1,
            "vMinor": -1,
            "vRev": -1,
            "vProto": -1,
        },
        "lastOnline": 0,
        "lastSeen": 0,
        "physicalAddress": None,
        "clientVersion": "",
        "protocolVersion": 0,
        "supportsRulesEngine": False,
    }


def status(now: int) -> Json:
    """Return what /status answers."""
    return {
        "id": "central_status",
        "type": "CentralStatus",
        "clock": now,
        "version": "fake",
        "apiVersion": "4",
        "uptime": 0,
        "user": {"id": OWNER, "displayName": "Fake Central"},
        "readOnlyMode": False,
        "loginMethods": {"local": True},
    }
