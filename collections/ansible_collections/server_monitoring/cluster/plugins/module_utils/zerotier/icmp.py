"""Echo requests by ICMP, so that a node needs no ping command."""

from __future__ import annotations

import os
import socket
import struct
import time

_REQUEST, _REPLY = 8, 0
_HEADER = struct.Struct("!BBHHH")
_LARGEST = 65535


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071) of some bytes."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def request(identifier: int, sequence: int, payload: bytes) -> bytes:
    """Return an echo request."""
    bare = _HEADER.pack(_REQUEST, 0, 0, identifier, sequence) + payload
    return bare[:2] + struct.pack("!H", checksum(bare)) + bare[4:]


def is_reply(packet: bytes, identifier: int, payload: bytes) -> bool:
    """Tell whether an IPv4 packet is the echo reply to a request of ours."""
    if not packet:
        return False
    message = packet[(packet[0] & 0x0F) * 4 :]
    if len(message) < _HEADER.size:
        return False
    kind, _, _, found, _ = _HEADER.unpack_from(message)
    return kind == _REPLY and found == identifier and message[_HEADER.size :] == payload


def unreached(source: str, targets: list[str], timeout: float, interval: float = 0.5) -> list[str]:
    """Return those of the IPv4 addresses that did not reply within `timeout` seconds.

    Requests leave from the address `source` and are repeated every `interval` seconds. Raises
    OSError where `source` is not an address of this machine or raw sockets are forbidden.
    """
    identifier, payload = os.getpid() & 0xFFFF, os.urandom(32)
    waiting, sequence = set(targets), 0
    deadline = time.monotonic() + timeout
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        raw.bind((source, 0))
        while waiting and time.monotonic() < deadline:
            sequence = (sequence + 1) & 0xFFFF
            for target in waiting:
                _send(raw, request(identifier, sequence, payload), target)
            _collect(raw, waiting, (identifier, payload), min(interval, timeout))
    return [target for target in targets if target in waiting]


def _send(raw: socket.socket, message: bytes, target: str) -> None:
    try:
        raw.sendto(message, (target, 0))
    except OSError:
        # "No route to host" and the like: a young overlay says so at first. It is tried again.
        return


def _collect(
    raw: socket.socket, waiting: set[str], sent: tuple[int, bytes], seconds: float
) -> None:
    until = time.monotonic() + seconds
    while waiting and (left := until - time.monotonic()) > 0:
        raw.settimeout(left)
        try:
            packet, sender = raw.recvfrom(_LARGEST)
        except TimeoutError:
            return
        if is_reply(packet, *sent):
            waiting.discard(sender[0])
