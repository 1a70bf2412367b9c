"""The answers below /unstable/controller: whole records and counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .controller import Controller
    from .store import Json


def networks(controller: Controller) -> Json:
    """Return every network with the count of its members."""
    data = []
    for nwid in controller.networks():
        found = members(controller, nwid) or {"meta": {}}
        counts = found["meta"]
        meta = {
            "authorizedMemberCount": counts["authorizedCount"],
            "totalMemberCount": counts["totalCount"],
        }
        data.append((controller.network(nwid) or {}) | {"meta": meta})
    return {"data": data, "meta": {"networkCount": len(data)}}


def members(controller: Controller, nwid: str) -> Json | None:
    """Return every member of a network, or None where there is no such network."""
    found = controller.members(nwid)
    if found is None:
        return None
    data = list(found.values())
    authorized = sum(member["authorized"] for member in data)
    return {"data": data, "meta": {"authorizedCount": authorized, "totalCount": len(data)}}
