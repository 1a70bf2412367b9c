"""Who keeps the network: a node's own controller or ZeroTier Central, behind one interface.

Records have the self-hosted controller's names whatever the backend: a network is {id, name,
private, mtu, routes, ipAssignmentPools, v4AssignMode}, a member {id, name, authorized,
ipAssignments, noAutoAssignIps}; further keys may be there and mean nothing here.
"""

from __future__ import annotations

import hashlib
from typing import Any, Protocol

from .api import LocalApi, ZerotierError
from .central import DEFAULT_URL, Central

Json = dict[str, Any]

_BASE = "/controller/network"


class Controller(Protocol):
    """Keeps networks and their members. Every method may raise ZerotierError."""

    def networks(self) -> list[Json]:
        """Return every network's record."""

    def network(self, network_id: str) -> Json | None:
        """Return a network's record, or None where there is none."""

    def create_network(self, wanted: Json) -> Json:
        """Make a network and return its record."""

    def save_network(self, network_id: str, changes: Json) -> Json:
        """Change a network and return its record."""

    def members(self, network_id: str) -> list[Json]:
        """Return a network's members, by address."""

    def member(self, network_id: str, address: str) -> Json | None:
        """Return a member's record, or None where there is none."""

    def save_member(self, network_id: str, address: str, changes: Json) -> Json:
        """Change a member, or make it before it joins, and return its record."""

    def delete_member(self, network_id: str, address: str) -> None:
        """Forget a member; one that is not known is fine."""


class LocalController:
    """The controller of the zerotier-one service on this machine."""

    def __init__(self, home: str) -> None:
        """Probe the controller; raises ZerotierError where this build has none."""
        self._api = LocalApi(home)
        if not (self._api.get("/controller") or {}).get("controller"):
            version = self._api.get("/status")["version"]
            message = (
                f"zerotier-one {version} of this machine has no network controller: builds from "
                "1.16 on leave it out; on this host set zerotier_version to one below 1.16 (such "
                "as 1.14.2), or put a host with a controller into the group zerotier_controller"
            )
            raise ZerotierError(message)

    def id_of(self, name: str) -> str:
        """Return the id that a network of that name gets here: the node's address and 6 digits."""
        address: str = self._api.get("/status")["address"]
        return address + hashlib.sha256(name.encode()).hexdigest()[:6]

    def networks(self) -> list[Json]:
        """Return every network's record."""
        return [self.network(found) or {} for found in self._api.get(_BASE)]

    def network(self, network_id: str) -> Json | None:
        """Return a network's record, or None where there is none."""
        found: Json | None = self._api.get(f"{_BASE}/{network_id}")
        return found

    def create_network(self, wanted: Json) -> Json:
        """Make a network; its id follows from its name, so that a renamed one is found again."""
        return self.save_network(self.id_of(wanted["name"]), wanted)

    def save_network(self, network_id: str, changes: Json) -> Json:
        """Change a network and return its record."""
        found: Json = self._api.post(f"{_BASE}/{network_id}", changes)
        return found

    def delete_network(self, network_id: str) -> None:
        """Forget a network with all its members."""
        self._api.delete(f"{_BASE}/{network_id}")

    def members(self, network_id: str) -> list[Json]:
        """Return a network's members, by address; one that is deleted meanwhile is left out."""
        base = f"{_BASE}/{network_id}/member"
        addresses = sorted(self._api.get(base) or {})
        return [found for at in addresses if (found := self._api.get(f"{base}/{at}"))]

    def member(self, network_id: str, address: str) -> Json | None:
        """Return a member's record, or None where there is none."""
        found: Json | None = self._api.get(f"{_BASE}/{network_id}/member/{address}")
        return found

    def save_member(self, network_id: str, address: str, changes: Json) -> Json:
        """Change a member, or make it before it joins, and return its record."""
        found: Json = self._api.post(f"{_BASE}/{network_id}/member/{address}", changes)
        return found

    def delete_member(self, network_id: str, address: str) -> None:
        """Forget a member; one that is not known is fine."""
        self._api.delete(f"{_BASE}/{network_id}/member/{address}")


def connect(access: Json) -> LocalController | Central:
    """Return who keeps the network, from a module's argument `controller`."""
    if access["backend"] == "controller":
        return LocalController(access["home"])
    url = access["url"] or DEFAULT_URL
    return Central(access["token"], url, access["timeout"], access["ca_file"])
