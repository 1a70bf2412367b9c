"""One login to a Kafka broker by SCRAM over TLS, to see whether it takes a password.

kafka-python tries again for as long as it may when a password is wrong, and does not tell that it
was. Here the broker is asked once: SaslHandshake (version 1) and SaslAuthenticate (version 0), as
https://kafka.apache.org/protocol describes them.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from .admin import connect

if TYPE_CHECKING:
    import ssl

_HANDSHAKE, _AUTHENTICATE = 17, 36
_AUTHENTICATION_FAILED = 58
# Correlation and error code at least.
_MIN_ANSWER, _MAX_ANSWER = 6, 64 * 1024


def lets_in(
    server: str, context: ssl.SSLContext, mechanism: str, user: str, password: str, timeout: float
) -> bool:
    """Tell whether a broker takes a user's password.

    Raises:
        OSError: the broker cannot be asked.
        ValueError: it answers with another error, or with something else.

    """
    # Known only where kafka-python is, which a check of the declarations does without.
    from kafka.net.sasl.scram import ScramClient  # noqa: PLC0415

    scram = ScramClient(user, password, mechanism)
    with connect(server, context, timeout) as sock:
        name = mechanism.encode()
        code, _ = _ask(sock, _HANDSHAKE, 1, struct.pack(">h", len(name)) + name)
        if code:
            message = f"SaslHandshake: error code {code}"
            raise ValueError(message)
        code, first = _say(sock, scram.first_message())
        if not code:
            scram.process_server_first_message(first)
            code, last = _say(sock, scram.final_message())
    if code == _AUTHENTICATION_FAILED:
        return False
    if code:
        message = f"SaslAuthenticate: error code {code}"
        raise ValueError(message)
    # The broker proves that it knows the password too.
    scram.process_server_final_message(last)
    return True


def _say(sock: ssl.SSLSocket, content: bytes) -> tuple[int, bytes]:
    """Send a message of the exchange; return the error code, and the answer to it."""
    code, rest = _ask(sock, _AUTHENTICATE, 0, struct.pack(">i", len(content)) + content)
    if code:
        return code, b""
    (skipped,) = struct.unpack_from(">h", rest)
    place = 2 + max(skipped, 0)
    (length,) = struct.unpack_from(">i", rest, place)
    return 0, rest[place + 4 : place + 4 + length]


def _ask(sock: ssl.SSLSocket, api: int, version: int, body: bytes) -> tuple[int, bytes]:
    """Send a request; return the answer's error code and what follows it."""
    request = struct.pack(">hhih", api, version, 1, -1) + body
    sock.sendall(struct.pack(">i", len(request)) + request)
    (length,) = struct.unpack(">i", _read(sock, 4))
    if not _MIN_ANSWER <= length <= _MAX_ANSWER:
        message = f"an answer of {length} bytes"
        raise ValueError(message)
    answer = _read(sock, length)
    (code,) = struct.unpack_from(">h", answer, 4)
    return code, answer[6:]


def _read(sock: ssl.SSLSocket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        part = sock.recv(count - len(found))
        if not part:
            message = "the connection was closed"
            raise ConnectionResetError(message)
        found += part
    return found
