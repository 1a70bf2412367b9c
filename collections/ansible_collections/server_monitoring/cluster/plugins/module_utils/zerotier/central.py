"""ZeroTier Central, the hosted controller: its networks and members in a node's controller's words.

Facts: the specification "ZeroTier Central API" v1 (docs.zerotier.com/openapi/central/v1.json) and
ZeroTier's own examples. A POST names what it changes and leaves the rest as it is ("Authorize a
network member" there sends the one key), so nothing is read, mixed and written back here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .api import ADDRESS, NETWORK_ID, ZerotierError
from .central_http import SettingError, TokenHttp
from .central_refusals import SITE, WHERE_TOKENS_ARE_MADE, explain, may_have_worked, words

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]

DEFAULT_URL = "https://api.zerotier.com/api/v1"
_NETWORK_KEYS = ("name", "private", "mtu", "routes", "ipAssignmentPools", "v4AssignMode")
_MEMBER_KEYS = ("name", "authorized", "ipAssignments", "noAutoAssignIps")
_DONE, _MISSING = {200, 201, 204}, 404


class Central:
    """The networks that a token of ZeroTier Central gives access to.

    Guarantee: each request ends within the timeout; each failure is a ZerotierError of one line
    without the token. Only `create_network` is not repeated where its answer was lost.
    """

    def __init__(
        self, token: str, url: str = DEFAULT_URL, timeout: float = 60.0, ca_file: str = ""
    ) -> None:
        """Check the settings; nothing is sent yet.

        `timeout` is for one request with all its tries, in seconds; `ca_file` (PEM) adds to the
        authorities that this machine trusts. Raises ZerotierError.
        """
        try:
            self._http = TokenHttp(url, token, timeout, ca_file)
        except SettingError as problem:
            message = f"ZeroTier Central: {problem}; {_setting_help(str(problem))}"
            raise ZerotierError(message) from problem
        self._here = f"ZeroTier Central ({self._http.host})"

    def networks(self) -> list[Json]:
        """Return all networks that the token sees, by id."""
        return self._records("/network", network_record)

    def network(self, network_id: str) -> Json | None:
        """Return a network, or None where Central knows none of that id."""
        return self._record("GET", _path(network_id), network_record)

    def create_network(self, wanted: Json) -> Json:
        """Make a network; return its record, with the id that Central chose.

        Not repeated where the answer is lost (a second one could be the result); the message says
        so. What the first request did not take over is saved by a second one.
        """
        body = network_body(wanted)
        made = self._record("POST", "/network", network_record, body, repeatable=False)
        if made is None:
            raise ZerotierError(self._missing("/network"))
        asked = {key: wanted[key] for key in _NETWORK_KEYS if key in wanted}
        missed = {key: value for key, value in asked.items() if made[key] != value}
        return self.save_network(made["id"], missed) if missed else made

    def save_network(self, network_id: str, changes: Json) -> Json:
        """Change what `changes` names; return the network's record as it is then."""
        return self._saved(_path(network_id), network_record, network_body(changes))

    def members(self, network_id: str) -> list[Json]:
        """Return a network's members, by address."""
        return self._records(f"{_path(network_id)}/member", member_record)

    def member(self, network_id: str, address: str) -> Json | None:
        """Return a member, or None where Central knows none of that address."""
        return self._record("GET", _path(network_id, address), member_record)

    def save_member(self, network_id: str, address: str, changes: Json) -> Json:
        """Change what `changes` names, of a member that need not have joined yet."""
        return self._saved(_path(network_id, address), member_record, member_body(changes))

    def delete_member(self, network_id: str, address: str) -> None:
        """Forget a member; one that Central does not know is fine."""
        self._ask("DELETE", _path(network_id, address))

    def _saved(self, path: str, translate: Callable[[Json], Json], body: Json) -> Json:
        saved = self._record("POST", path, translate, body)
        if saved is None:
            raise ZerotierError(self._missing(path))
        return saved

    def _records(self, path: str, translate: Callable[[Json], Json]) -> list[Json]:
        text = self._ask("GET", path)
        if text is None:
            raise ZerotierError(self._missing(path))
        found = self._parsed(f"GET {path}", text, lambda records: _each(translate, records))
        return sorted(found, key=lambda record: str(record["id"]))

    def _record(
        self,
        method: str,
        path: str,
        translate: Callable[[Json], Json],
        body: Json | None = None,
        *,
        repeatable: bool = True,
    ) -> Json | None:
        text = self._ask(method, path, body, repeatable=repeatable)
        return None if text is None else self._parsed(f"{method} {path}", text, translate)

    def _parsed(self, request: str, text: str, translate: Callable[[Any], Any]) -> Any:
        try:
            answer = json.loads(text)
        except ValueError:
            message = (
                f"{self._here} answered no JSON to {request}: {self._quoted(text)}; a proxy or a "
                "login page may answer in its place: check zerotier_central_url"
            )
            raise ZerotierError(message) from None
        try:
            return translate(answer)
        except (AttributeError, KeyError, TypeError):
            message = (
                f"{self._here} answered {request} with records of another shape than its API v1: "
                f"{self._quoted(text)}; check zerotier_central_url"
            )
            raise ZerotierError(message) from None

    def _ask(
        self, method: str, path: str, body: Json | None = None, *, repeatable: bool = True
    ) -> str | None:
        """Return the answer's text, or None where there is no such thing; raise for the rest."""
        outcome = self._http.send(method, path, body, repeatable=repeatable)
        if outcome.status in _DONE:
            return str(outcome.text)
        if outcome.status == _MISSING:
            return None
        line = explain(outcome._replace(text=self._http.hide(outcome.text)), f"{method} {path}")
        if not repeatable and may_have_worked(outcome):
            line += "; the network may have been made all the same: it is then found by its name"
        message = f"{self._here} {line}"
        raise ZerotierError(message)

    def _quoted(self, text: str) -> str:
        return repr(words(self._http.hide(text)))

    def _missing(self, path: str) -> str:
        return (
            f"{self._here} knows no {path.lstrip('/')} (404); compare the network's id with those "
            f"at {SITE}, and whose token this is"
        )


def network_record(network: Json) -> Json:
    """Return one of Central's networks as a node's controller would show it."""
    config = network.get("config") or {}
    routes, pools = config.get("routes") or [], config.get("ipAssignmentPools") or []
    return {
        "id": network["id"],
        "name": config.get("name") or "",
        "private": config.get("private"),
        "mtu": config.get("mtu"),
        "routes": [{"target": one["target"], "via": one.get("via") or None} for one in routes],
        "ipAssignmentPools": [
            {end: pool[end] for end in ("ipRangeStart", "ipRangeEnd")} for pool in pools
        ],
        "v4AssignMode": {"zt": (config.get("v4AssignMode") or {}).get("zt") is True},
    }


def network_body(changes: Json) -> Json:
    """Return what to send Central for these changes of a network; its `id` is no change."""
    _only(_NETWORK_KEYS, changes, "network")
    return {"config": {key: changes[key] for key in _NETWORK_KEYS if key in changes}}


def member_record(member: Json) -> Json:
    """Return one of Central's members as a node's controller would show it."""
    config = member.get("config") or {}
    return {
        "id": member.get("nodeId") or config["id"],
        "name": member.get("name") or "",
        "authorized": config.get("authorized") is True,
        "ipAssignments": list(config.get("ipAssignments") or []),
        "noAutoAssignIps": config.get("noAutoAssignIps") is True,
    }


def member_body(changes: Json) -> Json:
    """Return what to send Central for these changes of a member; its `id` is no change."""
    _only(_MEMBER_KEYS, changes, "member")
    name = {"name": changes["name"]} if "name" in changes else {}
    config = {key: changes[key] for key in _MEMBER_KEYS[1:] if key in changes}
    return name | ({"config": config} if config else {})


def _each(translate: Callable[[Json], Json], records: Any) -> list[Json]:
    if not isinstance(records, list):
        raise TypeError(records)
    return [translate(record) for record in records]


def _only(keys: tuple[str, ...], changes: Json, kind: str) -> None:
    strange = sorted(changes.keys() - {*keys, "id"})
    if strange:
        message = f"ZeroTier Central: cannot change {', '.join(strange)} of a {kind}, only {keys}"
        raise ZerotierError(message)


def _path(network_id: str, address: str | None = None) -> str:
    """Return the path of a network or member; refuse ids that would mean another path."""
    for name, value, pattern in (
        ("network_id", network_id, NETWORK_ID),
        ("address", address, ADDRESS),
    ):
        if value is not None and not pattern.fullmatch(value):
            message = f"{name}: found {value!r}, expected {pattern.pattern}"
            raise ZerotierError(message)
    return f"/network/{network_id}" + (f"/member/{address}" if address is not None else "")


def _setting_help(problem: str) -> str:
    if problem.startswith("the token"):
        return str(WHERE_TOKENS_ARE_MADE)
    return "see zerotier_central_url and zerotier_central_ca_file"
