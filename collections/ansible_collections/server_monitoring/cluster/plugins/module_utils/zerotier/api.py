"""What the modules of the role `zerotier` share: the local service's HTTP API and its errors.

The API answers on loopback only and wants the token of `authtoken.secret`; the token is read on
the node that runs the module, and stands in no message, result or log.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
from pathlib import Path
from typing import Any

Json = dict[str, Any]

DEFAULT_HOME = "/var/lib/zerotier-one"
DEFAULT_PORT = 9993
NETWORK_ID = re.compile(r"[0-9a-f]{16}")
ADDRESS = re.compile(r"[0-9a-f]{10}")
_OK, _DENIED, _MISSING = 200, 401, 404
_TIMEOUT_SECONDS = 10.0


class ZerotierError(Exception):
    """A failure that its one line explains: what was found and what to do."""


class LocalApi:
    """The API of the zerotier-one service on this machine."""

    def __init__(self, home: str = DEFAULT_HOME) -> None:
        """Read port and token from the service's home directory.

        Raises ZerotierError where the token cannot be read.
        """
        self._port = _port(Path(home))
        self._token = _token(Path(home))

    def get(self, path: str) -> Any:
        """Return what the API answers, or None where it knows no such thing."""
        return self._request("GET", path, None)

    def post(self, path: str, body: Json) -> Any:
        """Create or change; return the record as it is then."""
        answer = self._request("POST", path, body)
        if answer is None:
            message = f"{_here()} knows no {path}: it answered 404; check the network's id"
            raise ZerotierError(message)
        return answer

    def delete(self, path: str) -> Any:
        """Remove; return what the API answers, or None where it knows no such thing."""
        return self._request("DELETE", path, None)

    def _request(self, method: str, path: str, body: Json | None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT_SECONDS)
        headers = {"X-ZT1-Auth": self._token, "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            status, text = response.status, response.read().decode()
        except (OSError, http.client.HTTPException) as problem:
            message = (
                f"{_here()} does not answer on 127.0.0.1:{self._port} ({problem}); "
                "look at: systemctl status zerotier-one"
            )
            raise ZerotierError(message) from problem
        finally:
            connection.close()
        return _answer(method, path, status, text)


def changes(current: Json, wanted: Json) -> Json:
    """Return what of `wanted` differs from the current record."""
    return {key: value for key, value in wanted.items() if current.get(key) != value}


def diff(header: str, current: Json, wanted: Json) -> Json:
    """Return Ansible's diff of the wanted keys, before and after."""
    differing = changes(current, wanted)
    before = {key: current.get(key) for key in differing}
    return {
        "before_header": header,
        "after_header": header,
        "before": _pretty(before),
        "after": _pretty(differing),
    }


def _here() -> str:
    return f"zerotier-one of {socket.gethostname()}"


def _pretty(record: Json) -> str:
    return json.dumps(record, indent=2, sort_keys=True) + "\n" if record else ""


def _port(home: Path) -> int:
    try:
        return int((home / "zerotier-one.port").read_text("utf-8"))
    except (OSError, ValueError):
        return DEFAULT_PORT


def _token(home: Path) -> str:
    file = home / "authtoken.secret"
    try:
        return file.read_text("utf-8").strip()
    except OSError as problem:
        message = (
            f"{_here()}: {file} cannot be read ({problem.strerror}); the service writes it when it "
            "first starts: systemctl status zerotier-one"
        )
        raise ZerotierError(message) from problem


def _answer(method: str, path: str, status: int, text: str) -> Any:
    if status == _MISSING:
        return None
    if status == _DENIED:
        message = (
            f"{_here()} refused the token of authtoken.secret (401); "
            "restart it: systemctl restart zerotier-one"
        )
        raise ZerotierError(message)
    if status != _OK:
        message = f"{_here()} answered {status} to {method} {path}: {text.strip()[:200]!r}"
        raise ZerotierError(message)
    try:
        return json.loads(text)
    except ValueError as problem:
        message = f"{_here()} answered no JSON to {method} {path}: {text.strip()[:200]!r}"
        raise ZerotierError(message) from problem
