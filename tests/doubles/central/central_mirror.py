"""Passes what Central accepts on to a node's own controller, so that real members follow it.

Central tells controllers of its own; members in a laboratory know only the controller of one of
their nodes, so each change is repeated there by its local API (/controller, X-ZT1-Auth).
"""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]

_SECONDS = 10.0
_NETWORK_KEYS = frozenset(
    [
        "name",
        "private",
        "mtu",
        "routes",
        "ipAssignmentPools",
        "v4AssignMode",
        "v6AssignMode",
        "enableBroadcast",
        "multicastLimit",
    ]
)
_MEMBER_KEYS = frozenset(["activeBridge", "authorized", "ipAssignments", "noAutoAssignIps"])
_SEEN_KEYS = frozenset(["identity", "ipAssignments", "vMajor", "vMinor", "vRev", "vProto"])
_BASE = "/controller/network"


class MirrorError(Exception):
    """The controller did not take a change over; its one line says why."""


class Mirror:
    """A node's own controller."""

    def __init__(self, url: str, token: str) -> None:
        """Use the controller API at `url` (http://127.0.0.1:<port>) with the node's token."""
        self._where, self._token = urlsplit(url).netloc, token

    def create_network(self, config: Json) -> str:
        """Make a network with a Central network's configuration; return the id that it got."""
        address = self._call("GET", "/status")["address"]
        made = self._call("POST", f"{_BASE}/{address}______", _only(_NETWORK_KEYS, config))
        return str(made["id"])

    def change_network(self, network_id: str, changes: Json) -> None:
        """Repeat the changes of a Central network, as a partial record."""
        config = _only(_NETWORK_KEYS, changes.get("config") or {})
        if config:
            self._call("POST", f"{_BASE}/{network_id}", config)

    def delete_network(self, network_id: str) -> None:
        """Remove a network."""
        self._call("DELETE", f"{_BASE}/{network_id}")

    def change_member(self, network_id: str, address: str, changes: Json) -> None:
        """Repeat the changes of a Central member, as a partial record; it may be a new one."""
        body = _only(frozenset(["name"]), changes)
        body |= _only(_MEMBER_KEYS, changes.get("config") or {})
        self._call("POST", f"{_BASE}/{network_id}/member/{address}", body)

    def delete_member(self, network_id: str, address: str) -> None:
        """Remove a member."""
        self._call("DELETE", f"{_BASE}/{network_id}/member/{address}")

    def members(self, network_id: str) -> dict[str, Json]:
        """Return by address what the controller itself learned of each member, joined or not."""
        base = f"{_BASE}/{network_id}/member"
        records = {at: self._call("GET", f"{base}/{at}") for at in self._call("GET", base) or {}}
        return {at: _only(_SEEN_KEYS, record) for at, record in records.items() if record}

    def _call(self, method: str, path: str, body: Json | None = None) -> Any:
        connection = http.client.HTTPConnection(self._where, timeout=_SECONDS)
        headers = {"X-ZT1-Auth": self._token, "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            status, text = response.status, response.read()
        except (OSError, http.client.HTTPException) as problem:
            message = f"the mirror at {self._where} does not answer: {problem}"
            raise MirrorError(message) from problem
        finally:
            connection.close()
        if status == http.HTTPStatus.NOT_FOUND and method != "POST":
            return None
        if status != http.HTTPStatus.OK:
            message = f"the mirror at {self._where} answered {status} to {method} {path}"
            raise MirrorError(message)
        return json.loads(text)


def _only(keys: frozenset[str], record: Json) -> Json:
    return {key: record[key] for key in record if key in keys}
