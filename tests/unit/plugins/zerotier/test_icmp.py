"""Echo requests and replies as bytes, and the waiting for them with a socket of our own."""

from __future__ import annotations

import socket
import struct
from contextlib import nullcontext

import pytest
from ansible_collections.server_monitoring.cluster.plugins.module_utils.zerotier import icmp

PAYLOAD = b"payload!"


def reply(identifier: int, payload: bytes, kind: int = 0, options: int = 0) -> bytes:
    """Return an IPv4 packet with an echo reply, with so many words of header options."""
    header = bytes([0x45 + options]) + b"\0" * (19 + 4 * options)
    return header + struct.pack("!BBHHH", kind, 0, 0, identifier, 1) + payload


def test_checksum_of_rfc_1071() -> None:
    """The example of RFC 1071, section 3, and an odd length."""
    assert icmp.checksum(bytes([0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7])) == 0x220D
    assert icmp.checksum(b"\x01") == 0xFEFF


def test_request_verifies_to_zero() -> None:
    """A receiver that sums the whole request gets zero."""
    message = icmp.request(0x1234, 7, PAYLOAD)
    assert icmp.checksum(message) == 0
    assert message[0] == 8
    assert struct.unpack("!HH", message[4:8]) == (0x1234, 7)


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (reply(5, PAYLOAD), True),
        (reply(5, PAYLOAD, options=2), True),
        (reply(6, PAYLOAD), False),
        (reply(5, b"other"), False),
        (reply(5, PAYLOAD, kind=8), False),
        (b"", False),
        (b"\x45", False),
    ],
)
def test_only_our_reply_counts(packet: bytes, expected: object) -> None:
    """Requests of our own, replies to others and broken packets are passed over."""
    assert icmp.is_reply(packet, 5, PAYLOAD) is expected


class FakeSocket:
    """A raw socket on which some addresses reply and one has no route."""

    def __init__(self) -> None:
        """Start with nothing received."""
        self.waiting: list[tuple[bytes, tuple[str, int]]] = []

    def bind(self, address: tuple[str, int]) -> None:
        """Accept the source address."""
        assert address == ("172.29.0.1", 0)

    def settimeout(self, seconds: float) -> None:
        """Accept a timeout."""
        assert seconds > 0

    def sendto(self, message: bytes, address: tuple[str, int]) -> None:
        """Reply at once, stay silent, or have no route."""
        if address[0] == "172.29.0.3":
            raise OSError(113, "No route to host")
        if address[0] == "172.29.0.2":
            identifier = struct.unpack("!H", message[4:6])[0]
            self.waiting.append((reply(identifier, message[8:]), address))

    def recvfrom(self, _size: int) -> tuple[bytes, tuple[str, int]]:
        """Return the next packet, or time out."""
        if not self.waiting:
            raise TimeoutError
        return self.waiting.pop()


def test_silent_and_routeless_peers_are_unreached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who replied is done; the others are returned in the order asked for."""
    monkeypatch.setattr(socket, "socket", lambda *_arguments: nullcontext(FakeSocket()))
    targets = ["172.29.0.2", "172.29.0.3", "172.29.0.4"]
    assert icmp.unreached("172.29.0.1", targets, 0.05, 0.01) == ["172.29.0.3", "172.29.0.4"]
    assert icmp.unreached("172.29.0.1", ["172.29.0.2"], 5) == []
