"""Whether a broker takes the credentials: asked from here, as clients do not always tell.

One of them tries again for ever where a password is refused, and only says that no answer came.
SCRAM-SHA-512 as in RFC 5802, carried by Kafka's SaslHandshake (version 1) and SaslAuthenticate
(version 0); the password itself is never sent.
"""

import base64
import hashlib
import hmac
import os
import socket
import ssl
import struct
from typing import NamedTuple

from server_monitoring.broker import tls
from server_monitoring.broker.cluster import MECHANISM, Cluster, Credentials
from server_monitoring.errors import one_line

_HANDSHAKE, _AUTHENTICATE = 17, 36
_UNSUPPORTED_MECHANISM, _ILLEGAL_STATE, _REFUSED = 33, 34, 58
_REASONS = {
    _UNSUPPORTED_MECHANISM: f"it does not know {MECHANISM}",
    _ILLEGAL_STATE: "this listener knows no passwords",
    _REFUSED: "the user or the password is wrong",
}
_HASH = "sha512"
_MAX_ANSWER = 65_536
_MAX_ITERATIONS = 1_000_000


class Refusal(NamedTuple):
    """Who refuses, and why."""

    server: str
    reason: str


def refusal(cluster: Cluster) -> Refusal | None:
    """Return which broker refuses the credentials; None where that is not known."""
    if cluster.ca_file is None:
        return None
    for server in cluster.servers:
        try:
            with (
                tls.open_socket(server) as sock,
                tls.context(cluster).wrap_socket(sock, server_hostname=tls.host(server)) as secure,
            ):
                code = _authenticate(secure, cluster.identity)
        except (OSError, ValueError, KeyError, struct.error):
            continue  # It is not there, or is no broker: others find out.
        if code in _REASONS:
            return Refusal(server, one_line(_REASONS[code]))
    return None


def _authenticate(sock: ssl.SSLSocket, credentials: Credentials) -> int:
    """Return the first error code, or 0."""
    mechanism = MECHANISM.encode()
    code, _ = _ask(sock, _HANDSHAKE, 1, struct.pack(">h", len(mechanism)) + mechanism)
    if code:
        return code
    name = credentials.username.replace("=", "=3D").replace(",", "=2C")
    nonce = base64.b64encode(os.urandom(24)).decode()
    bare = f"n={name},r={nonce}"
    code, first = _say(sock, f"n,,{bare}")
    if code:
        return code
    given = dict(part.split("=", 1) for part in first.split(","))
    final = f"c=biws,r={given['r']}"
    proof = _proof(credentials.password, given, f"{bare},{first},{final}")
    return _say(sock, f"{final},p={proof}")[0]


def _proof(password: str, given: dict[str, str], message: str) -> str:
    iterations = int(given["i"])
    if iterations > _MAX_ITERATIONS:
        raise ValueError(iterations)
    salt = base64.b64decode(given["s"])
    salted = hashlib.pbkdf2_hmac(_HASH, password.encode(), salt, iterations)
    key = hmac.digest(salted, b"Client Key", _HASH)
    signature = hmac.digest(hashlib.sha512(key).digest(), message.encode(), _HASH)
    return base64.b64encode(bytes(a ^ b for a, b in zip(key, signature, strict=True))).decode()


def _say(sock: ssl.SSLSocket, text: str) -> tuple[int, str]:
    """Send a message of the exchange; return the error code, and the answer to it."""
    content = text.encode()
    code, rest = _ask(sock, _AUTHENTICATE, 0, struct.pack(">i", len(content)) + content)
    if code:
        return code, ""
    (skipped,) = struct.unpack_from(">h", rest)
    place = 2 + max(skipped, 0)
    (length,) = struct.unpack_from(">i", rest, place)
    return 0, rest[place + 4 : place + 4 + length].decode()


def _ask(sock: ssl.SSLSocket, api: int, version: int, body: bytes) -> tuple[int, bytes]:
    """Send a request; return the answer's error code and what follows it."""
    request = struct.pack(">hhih", api, version, 1, -1) + body
    sock.sendall(struct.pack(">i", len(request)) + request)
    (length,) = struct.unpack(">i", _read(sock, 4))
    if not 0 <= length <= _MAX_ANSWER:
        raise ValueError(length)
    answer = _read(sock, length)
    (code,) = struct.unpack_from(">h", answer, 4)
    return code, answer[6:]


def _read(sock: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        part = sock.recv(count - len(found))
        if not part:
            raise ConnectionResetError
        found += part
    return found
