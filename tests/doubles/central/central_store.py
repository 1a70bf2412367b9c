"""The networks and members of the fake, kept in one file where one is given."""

from __future__ import annotations

import json
import secrets
import threading
import time
from typing import TYPE_CHECKING, Any

from central_records import new_member, new_network
from central_spec import merged, problems, taken_over

if TYPE_CHECKING:
    from pathlib import Path

    from central_mirror import Mirror

Json = dict[str, Any]

CONTROLLER = "fa4ec3977a"


class RefusedError(Exception):
    """An answer other than 200: its status and message."""

    def __init__(self, status: int, message: str) -> None:
        """Keep both."""
        super().__init__(message)
        self.status = status


class Store:
    """Networks and their members; every method may be called by several threads.

    Guarantee: a change is in the file and on the mirror before it is answered; one that the mirror
    refuses is not kept (MirrorError).
    """

    def __init__(self, file: Path | None = None, mirror: Mirror | None = None) -> None:
        """Load what `file` holds, if there is one; `mirror` gets every change."""
        self._file, self._mirror, self._lock = file, mirror, threading.RLock()
        kept = json.loads(file.read_text("utf-8")) if file and file.exists() else {}
        self._networks: dict[str, Json] = kept.get("networks", {})
        self._members: dict[str, dict[str, Json]] = kept.get("members", {})

    def networks(self) -> list[Json]:
        """Return all networks."""
        with self._lock:
            return [self.network(network_id) for network_id in self._networks]

    def network(self, network_id: str) -> Json:
        """Return a network with its counts as they are now."""
        with self._lock:
            record = self._known(network_id)
            members = self._members[network_id].values()
            authorized = sum(member["config"]["authorized"] for member in members)
            counts = {"authorizedMemberCount": authorized, "totalMemberCount": len(members)}
            return record | counts | {"clock": milliseconds()}

    def create_network(self, body: Json) -> Json:
        """Make a network; on the mirror first, which gives the id then."""
        changes = _changes("Network", {}, body)
        with self._lock:
            record = merged(new_network("", milliseconds()), changes)
            network_id = f"{CONTROLLER}{secrets.token_hex(3)}"
            if self._mirror:
                network_id = self._mirror.create_network(record["config"])
            record["id"] = record["config"]["id"] = network_id
            self._networks[network_id], self._members[network_id] = record, {}
            self._keep()
            return self.network(network_id)

    def change_network(self, network_id: str, body: Json) -> Json:
        """Change what a request names."""
        with self._lock:
            record = self._known(network_id)
            changes = _changes("Network", record, body)
            if self._mirror:
                self._mirror.change_network(network_id, changes)
            modified = {"config": {"lastModified": milliseconds()}}
            self._networks[network_id] = merged(merged(record, changes), modified)
            self._keep()
            return self.network(network_id)

    def delete_network(self, network_id: str) -> None:
        """Remove a network with its members."""
        with self._lock:
            self._known(network_id)
            if self._mirror:
                self._mirror.delete_network(network_id)
            del self._networks[network_id], self._members[network_id]
            self._keep()

    def members(self, network_id: str) -> list[Json]:
        """Return a network's members; with a mirror also those that only asked to join."""
        with self._lock:
            self._known(network_id)
            self._learn(network_id)
            now = {"clock": milliseconds()}
            return [member | now for member in self._members[network_id].values()]

    def member(self, network_id: str, address: str) -> Json:
        """Return a member."""
        found = {member["nodeId"]: member for member in self.members(network_id)}
        if address not in found:
            raise RefusedError(404, "Not found")
        return found[address]

    def change_member(self, network_id: str, address: str, body: Json) -> Json:
        """Change what a request names, of a member that need not be there yet."""
        with self._lock:
            self._known(network_id)
            now, members = milliseconds(), self._members[network_id]
            record = members.get(address) or new_member(network_id, address, now)
            changes = _changes("Member", record, body)
            if self._mirror:
                self._mirror.change_member(network_id, address, changes)
            members[address] = _revised(record, merged(record, changes), now)
            self._keep()
            return self.member(network_id, address)

    def delete_member(self, network_id: str, address: str) -> None:
        """Remove a member; like Central, say nothing where there is none."""
        with self._lock:
            self._known(network_id)
            if self._mirror:
                self._mirror.delete_member(network_id, address)
            self._members[network_id].pop(address, None)
            self._keep()

    def _known(self, network_id: str) -> Json:
        if network_id not in self._networks:
            raise RefusedError(404, "Not found")
        return self._networks[network_id]

    def _learn(self, network_id: str) -> None:
        members = self._members[network_id]
        for address, seen in (self._mirror.members(network_id) if self._mirror else {}).items():
            record = members.get(address) or new_member(network_id, address, milliseconds())
            members[address] = merged(record, {"config": seen})

    def _keep(self) -> None:
        if self._file:
            fresh = self._file.with_name(self._file.name + ".tmp")
            kept = {"networks": self._networks, "members": self._members}
            fresh.write_text(json.dumps(kept, indent=1), "utf-8")
            fresh.replace(self._file)


def milliseconds() -> int:
    """Return the time in ms since the epoch."""
    return time.time_ns() // 1_000_000


def _changes(schema: str, record: Json, body: Json) -> Json:
    """Return what a request changes; refuse one with values of a wrong type."""
    wrong = [line for line in problems(schema, body) if ": not in " not in line]
    if wrong:
        raise RefusedError(400, f"JSON error: {'; '.join(wrong)}")
    changes = taken_over(schema, record, body)
    for route in changes.get("config", {}).get("routes", []):
        route.setdefault("via", None)
    return changes


def _revised(old: Json, new: Json, now: int) -> Json:
    before, after = old["config"]["authorized"], new["config"]["authorized"]
    times = {"revision": old["config"]["revision"] + 1}
    if before != after:
        times["lastAuthorizedTime" if after else "lastDeauthorizedTime"] = now
    return merged(new, {"config": times})
