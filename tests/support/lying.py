"""Connections that log in to a broker and then lie, in words of the protocol.

It stands alone, beside kafka-python, so that a node's Python can run its text too.
"""

import random
import socket
import ssl
import struct

from kafka.net.sasl.scram import ScramClient

_MECHANISM = "SCRAM-SHA-512"
_FETCH, _HANDSHAKE, _AUTHENTICATE = 1, 17, 36


def log_in(
    host: str, port: int, ca_file: str, user: str, secret: str, address: str = ""
) -> ssl.SSLSocket:
    """Return a connection of a user who is logged in; it comes from `address`, if one is given."""
    source = (address, 0) if address else None
    plain = socket.create_connection((host, port), 20, source_address=source)
    context = ssl.create_default_context(cafile=ca_file)
    sock = context.wrap_socket(plain, server_hostname=host)
    scram = ScramClient(user, secret, _MECHANISM)
    _ask(sock, _HANDSHAKE, 1, struct.pack(">h", len(_MECHANISM)) + _MECHANISM.encode())
    scram.process_server_first_message(_said(sock, scram.first_message()))
    scram.process_server_final_message(_said(sock, scram.final_message()))
    return sock


def announce(sock: ssl.SSLSocket, size: int) -> None:
    """Announce a request of `size` bytes, and send no more than its head."""
    sock.sendall(struct.pack(">ihhih", size, _FETCH, 4, 7, -1))


def _said(sock: ssl.SSLSocket, content: bytes) -> bytes:
    """Send a message of the login; return the answer to it."""
    answer = _ask(sock, _AUTHENTICATE, 0, struct.pack(">i", len(content)) + content)
    code, skipped = struct.unpack_from(">hh", answer)
    if code:
        raise ValueError(code)
    place = 4 + max(skipped, 0)
    (length,) = struct.unpack_from(">i", answer, place)
    return answer[place + 4 : place + 4 + length]


def _ask(sock: ssl.SSLSocket, api: int, version: int, body: bytes) -> bytes:
    """Return what follows the answer's number."""
    request = struct.pack(">hhih", api, version, random.randrange(2**31), -1) + body
    sock.sendall(struct.pack(">i", len(request)) + request)
    (length,) = struct.unpack(">i", _read(sock, 4))
    return _read(sock, length)[4:]


def _read(sock: ssl.SSLSocket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        part = sock.recv(count - len(found))
        if not part:
            raise ConnectionResetError
        found += part
    return found
