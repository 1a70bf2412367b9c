"""The HTTP API on loopback, paths and answers as zerotier-one's."""

from __future__ import annotations

import hmac
import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from . import unstable

if TYPE_CHECKING:
    from collections.abc import Callable

    from .node import Node
    from .store import Json

    Answer = Any
    Route = tuple[str, str, Callable[..., Answer]]

_OK, _BAD, _DENIED, _MISSING = 200, 400, 401, 404
_NW, _AT = "([0-9a-fA-F]{16})", "([0-9a-fA-F]{10})"


class BadRequestError(Exception):
    """A request that the API refuses with status 400."""


def routes(node: Node) -> list[Route]:
    """Return method, path pattern and function; None as an answer means 404.

    A function takes the path's parts in lower case and, for POST, the body.
    """
    own = node_routes(node)
    return own + controller_routes(node) if node.variant.controller else own


def node_routes(node: Node) -> list[Route]:
    """Return the routes that every build has."""

    def joined(nwid: str) -> Json | None:
        return next((found for found in node.networks() if found["id"] == nwid), None)

    return [
        ("GET", "/status", node.status),
        ("GET", "/network", node.networks),
        ("GET", f"/network/{_NW}", joined),
        ("POST", f"/network/{_NW}", lambda nwid, _body: node.join(nwid)),
        ("DELETE", f"/network/{_NW}", lambda nwid: {"result": True} if node.leave(nwid) else {}),
        ("GET", "/peer", node.peers),
        ("GET", "/moon", node.moons.listed),
        ("GET", f"/moon/{_AT}", node.moons.show),
        ("POST", f"/moon/{_AT}", lambda moon, body: node.moons.orbit(moon, body.get("seed"))),
        ("DELETE", f"/moon/{_AT}", node.moons.deorbit),
    ]


def controller_routes(node: Node) -> list[Route]:
    """Return the same for what a build with a network controller answers besides."""
    controller = node.controller

    def create(prefix: str, body: Json) -> Json:
        if prefix != node.identity.address:
            raise BadRequestError
        return controller.create_network(body)

    def member_revisions(nwid: str) -> Json | None:
        members = controller.members(nwid)
        if members is None:
            return None
        return {address: member["revision"] for address, member in members.items()}

    networks = "/controller/network"
    members = f"{networks}/{_NW}/member"
    return [
        ("GET", "/controller", controller.status),
        ("GET", networks, controller.networks),
        ("POST", networks, controller.create_network),
        ("POST", f"{networks}/{_AT}______", create),
        ("GET", f"{networks}/{_NW}", controller.network),
        ("POST", f"{networks}/{_NW}", controller.update_network),
        ("DELETE", f"{networks}/{_NW}", controller.delete_network),
        ("GET", members, member_revisions),
        ("GET", f"{members}/{_AT}", lambda nwid, at: (controller.members(nwid) or {}).get(at)),
        ("POST", f"{members}/{_AT}", controller.update_member),
        ("DELETE", f"{members}/{_AT}", controller.delete_member),
        ("GET", f"/unstable{networks}", lambda: unstable.networks(controller)),
        ("GET", f"/unstable{members}", lambda nwid: unstable.members(controller, nwid)),
    ]


def render(path: str, answer: Answer) -> str:
    """Return an answer as text: compact with sorted keys, but for the hand-made /controller."""
    if path == "/controller":
        return json.dumps(answer, indent="\t") + "\n"
    return json.dumps(answer, sort_keys=True, separators=(",", ":"))


def server(node: Node, token: str, port: int) -> ThreadingHTTPServer:
    """Return the server of a node's API on 127.0.0.1, bound and ready to serve."""
    table = routes(node)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_method(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            given = self.headers.get("X-ZT1-Auth") or ""
            if not hmac.compare_digest(given.encode(), token.encode()):
                self._reply(_DENIED, "{}")
                return
            path = urlsplit(self.path).path
            method = "POST" if self.command == "PUT" else self.command
            try:
                with node.lock:
                    answer = _call(table, method, path, text)
            except BadRequestError:
                self._reply(_BAD, "")
                return
            if answer is None:
                self._reply(_MISSING, "")
            else:
                self._reply(_OK, render(path, answer))

        def _reply(self, status: int, text: str) -> None:
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            """Log nothing: the real service logs no requests."""

    for method in ("GET", "POST", "PUT", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.handle_method)
    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def _call(
    table: list[tuple[str, str, Callable[..., Answer]]], method: str, path: str, text: bytes
) -> Answer:
    for known, pattern, function in table:
        match = re.fullmatch(pattern, path)
        if match is not None and known == method:
            parts: list[Any] = [part.lower() for part in match.groups()]
            return function(*parts, *([_body(text)] if method == "POST" else []))
    return None


def _body(text: bytes) -> Json:
    """Return a request's JSON object; anything else counts as an empty one."""
    try:
        body = json.loads(text or b"{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
