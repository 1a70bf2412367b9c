"""The fake's HTTP server: the specification's paths below /api/v1, for one token."""

from __future__ import annotations

import hmac
import json
import re
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from central_faults import Fault, Faults
from central_mirror import Mirror, MirrorError
from central_records import status
from central_store import RefusedError, Store, milliseconds

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from pathlib import Path

Json = dict[str, Any]

ROOT = "/api/v1"
_NETWORK, _MEMBER = "/network/([0-9a-f]{16})", "/member/([0-9a-f]{10})"
_USUAL = {401: "Unauthorized", 403: "Unauthorized", 404: "Not found", 429: "Too many requests"}


class _Server(ThreadingHTTPServer):
    # With the usual five, a sixth client at once waits a second for its connection.
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of a failure, but not of a client that gave up before its answer."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class FakeCentral:
    """A Central on 127.0.0.1 that serves until it is closed.

    `requests` lists what came: method, path below /api/v1, and the body or None.
    """

    def __init__(
        self,
        token: str,
        *,
        port: int = 0,
        state: Path | None = None,
        mirror: Mirror | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Serve at once; `state` is the file to keep records in, `context` makes it HTTPS."""
        self.faults, self.requests = Faults(), list[tuple[str, str, Any]]()
        self.store, self._token, self._closing = Store(state, mirror), token, threading.Event()
        self._server = _Server(("127.0.0.1", port), _handler(self))
        if context:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if context else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}{ROOT}"
        polling = {"poll_interval": 0.02}
        self.thread = threading.Thread(
            target=self._server.serve_forever, kwargs=polling, daemon=True
        )
        self.thread.start()

    def fail(self, request: str, **how: Any) -> None:
        """Do wrong with requests from now on: see Fault."""
        self.faults.add(Fault(request, **how))

    def sent(self) -> list[str]:
        """Return the requests that came, without their bodies."""
        return [f"{method} {path}" for method, path, _ in self.requests]

    def close(self) -> None:
        """Stop serving."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def wait(self, seconds: float) -> None:
        """Wait, but not longer than the fake serves."""
        self._closing.wait(seconds)

    def answer(self, method: str, path: str, authorization: str, text: bytes) -> tuple[int, str]:
        """Return status and body of the true answer to a request."""
        kind, _, given = authorization.partition(" ")
        fits = hmac.compare_digest(given.encode(), self._token.encode())
        if kind.lower() not in {"token", "bearer"} or not fits:
            return 401, _error(_USUAL[401])
        try:
            found = _call(self.store, method, path, text)
        except RefusedError as refusal:
            return refusal.status, _error(str(refusal))
        except MirrorError as problem:
            return 500, _error(str(problem))
        return 200, "" if found is None else json.dumps(found)


def _call(store: Store, method: str, path: str, text: bytes) -> Any:
    table: list[tuple[str, str, Callable[..., Any]]] = [
        ("GET", "/status", lambda: status(milliseconds())),
        ("GET", "/network", store.networks),
        ("POST", "/network", store.create_network),
        ("GET", _NETWORK, store.network),
        ("POST", _NETWORK, store.change_network),
        ("DELETE", _NETWORK, store.delete_network),
        ("GET", f"{_NETWORK}/member", store.members),
        ("GET", _NETWORK + _MEMBER, store.member),
        ("POST", _NETWORK + _MEMBER, store.change_member),
        ("DELETE", _NETWORK + _MEMBER, store.delete_member),
    ]
    for known, pattern, function in table:
        match = re.fullmatch(pattern, path)
        if match and known == method:
            return function(*match.groups(), *([_body(text)] if method == "POST" else []))
    raise RefusedError(404, "Not found")


def _body(text: bytes) -> Json:
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise RefusedError(400, "JSON error")
    return body


def _error(message: str) -> str:
    return json.dumps({"type": "internal", "message": message})


def _handler(fake: FakeCentral) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_method(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = urlsplit(self.path).path.removeprefix(ROOT)
            fake.requests.append((self.command, path, _logged(text)))
            fault = fake.faults.take(f"{self.command} {path}") or Fault("")
            if fault.seconds:
                fake.wait(fault.seconds)
            status_code, answer = fault.status, fault.text or _error(_USUAL.get(fault.status, ""))
            if not fault.status and fault.connection != "close":
                given = self.headers.get("Authorization") or ""
                status_code, answer = fake.answer(self.command, path, given, text)
            if fault.connection:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self._reply(status_code, answer.encode(), fault.headers)

        def _reply(self, status_code: int, content: bytes, headers: dict[str, str]) -> None:
            usual = {"Date": self.date_time_string(), "Content-Type": "application/json"}
            self.send_response_only(status_code)
            for name, value in (usual | headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            """Log nothing: the answers speak for themselves."""

    for method in ("GET", "POST", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.handle_method)
    return Handler


def _logged(text: bytes) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text.decode("utf-8", "replace")
