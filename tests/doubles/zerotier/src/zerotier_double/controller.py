"""The network controller: networks, their members, and the answer to a member's request."""

from __future__ import annotations

import ipaddress
import secrets
import time
from typing import TYPE_CHECKING

from . import records

if TYPE_CHECKING:
    from collections.abc import Callable

    from .store import Home, Json

_NETWORKS = "controller.d/network"


def milliseconds() -> int:
    """Return the time in ms since the epoch."""
    return time.time_ns() // 1_000_000


class Controller:
    """All networks of one controller, kept in its home directory.

    Every record counts its changes in `revision`; a request that changes nothing leaves it alone.
    """

    def __init__(self, home: Home, address: str, clock: Callable[[], int] = milliseconds) -> None:
        """Load the networks of the controller with that address; `clock` gives ms."""
        self._home, self._address, self._clock = home, address, clock
        self._networks = home.records(f"{_NETWORKS}/*.json")
        self._members = {
            nwid: home.records(f"{_NETWORKS}/{nwid}/member/*.json") for nwid in self._networks
        }

    def status(self) -> Json:
        """Return what /controller answers, in the real answer's order of keys."""
        clock = self._clock()
        return {"controller": True, "apiVersion": 4, "clock": clock, "databaseReady": True}

    def networks(self) -> list[str]:
        """Return the ids of all networks."""
        return sorted(self._networks)

    def network(self, nwid: str) -> Json | None:
        """Return a network's record, or None where there is none."""
        return self._networks.get(nwid)

    def members(self, nwid: str) -> dict[str, Json] | None:
        """Return a network's members by address, or None where there is no such network."""
        return self._members.get(nwid)

    def create_network(self, body: Json) -> Json:
        """Make a network with an id of the controller's choice."""
        nwid = ""
        while not nwid or nwid in self._networks:
            nwid = f"{self._address}{1 + secrets.randbelow(0xFFFFFF):06x}"
        return self.update_network(nwid, body)

    def update_network(self, nwid: str, body: Json) -> Json:
        """Change a network's record, or make it with that id."""
        old = self._networks.get(nwid) or records.new_network(nwid, self._clock())
        new = records.change_network(old, body)
        if new != old or not old["revision"]:
            new["revision"] = old["revision"] + 1
            self._home.write(f"{_NETWORKS}/{nwid}.json", new)
        self._networks[nwid] = new
        self._members.setdefault(nwid, {})
        return new

    def delete_network(self, nwid: str) -> Json | None:
        """Forget a network and its members; return its last record, or None."""
        record = self._networks.pop(nwid, None)
        for address in self._members.pop(nwid, {}):
            self._home.remove(_member_file(nwid, address))
        self._home.remove(f"{_NETWORKS}/{nwid}.json")
        return record

    def update_member(self, nwid: str, address: str, body: Json) -> Json | None:
        """Change a member's record, or make it before the member ever joined."""
        if nwid not in self._networks:
            return None
        old = self._member(nwid, address)
        return self._save_member(old, records.change_member(old, body, self._clock()))

    def delete_member(self, nwid: str, address: str) -> Json | None:
        """Forget a member; return its last record, or None."""
        record = self._members.get(nwid, {}).pop(address, None)
        self._home.remove(_member_file(nwid, address))
        return record

    def request(self, nwid: str, identity: str, versions: list[int]) -> Json:
        """Answer a member that asks for its configuration.

        `versions`: major, minor, revision and protocol. The answer's `status` is OK (with the
        configuration), ACCESS_DENIED or NOT_FOUND. A member that is not known yet becomes known.
        """
        network = self._networks.get(nwid)
        if network is None:
            return {"status": "NOT_FOUND"}
        old = self._member(nwid, identity.partition(":")[0])
        new = old | {"identity": identity}
        if not network["private"] and not old["revision"]:
            new |= records.authorization(self._clock(), "public")
        if not new["authorized"]:
            self._save_member(old, new)
            return {"status": "ACCESS_DENIED"}
        new |= dict(zip(("vMajor", "vMinor", "vRev", "vProto"), versions, strict=True))
        new["ipAssignments"] = self._assignments(network, new)
        self._save_member(old, new)
        return {"status": "OK", "config": self._configuration(network, new)}

    def _member(self, nwid: str, address: str) -> Json:
        known = self._members[nwid].get(address)
        return known or records.new_member(nwid, address, self._clock())

    def _save_member(self, old: Json, new: Json) -> Json:
        nwid, address = new["nwid"], new["address"]
        if new != old or not old["revision"]:
            new["revision"] = old["revision"] + 1
            self._home.write(_member_file(nwid, address), new)
        self._members[nwid][address] = new
        return new

    def _assignments(self, network: Json, member: Json) -> list[str]:
        """Return a member's addresses; one from the pools where it has none and may get one."""
        held: list[str] = member["ipAssignments"]
        wants_none = member["noAutoAssignIps"] or not network["v4AssignMode"]["zt"]
        if wants_none or any(_prefix(network, text) for text in held):
            return held
        members = self._members[network["nwid"]].values()
        taken = {text for other in members for text in other["ipAssignments"]}
        for pool in network["ipAssignmentPools"]:
            first, last = (int(ipaddress.ip_address(pool[f"ipRange{end}"])) for end in _ENDS)
            for number in range(first, last + 1):
                free = str(ipaddress.ip_address(number))
                if free not in taken and _prefix(network, free):
                    return [*held, free]
        return held

    def _configuration(self, network: Json, member: Json) -> Json:
        others = self._members[network["nwid"]].items()
        prefixes = {text: _prefix(network, text) for text in member["ipAssignments"]}
        return {
            "name": network["name"],
            "private": network["private"],
            "broadcast": network["enableBroadcast"],
            "mtu": network["mtu"],
            "issuedTo": member["address"],
            "revision": network["revision"],
            "routes": network["routes"],
            # Like the real controller's: an address outside all routes is not handed out.
            "addresses": [f"{text}/{prefix}" for text, prefix in prefixes.items() if prefix],
            "members": sorted(
                address
                for address, other in others
                if other["authorized"] and address != member["address"]
            ),
        }


_ENDS = ("Start", "End")


def _member_file(nwid: str, address: str) -> str:
    return f"{_NETWORKS}/{nwid}/member/{address}.json"


def _prefix(network: Json, text: str) -> int:
    """Return the prefix length of the narrowest route that holds an address, or 0."""
    address = ipaddress.ip_address(text)
    routes = (ipaddress.ip_network(route["target"], strict=False) for route in network["routes"])
    return max((route.prefixlen for route in routes if address in route), default=0)
