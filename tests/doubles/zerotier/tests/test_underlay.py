"""The datagrams themselves, through real sockets on loopback."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from zerotier_double import links, underlay
from zerotier_double.identity import new_identity
from zerotier_double.links import Interface
from zerotier_double.local_conf import LocalConf
from zerotier_double.node import Node
from zerotier_double.store import Home
from zerotier_double.underlay import Underlay
from zerotier_double.values import as_object, as_port, as_text, as_truth

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CARD = {"identity": new_identity().public, "version": [1, 14, 1], "port": 9993}
HELLO = {"kind": "hello", "sent": 7, "moons": {}, "avoid": []}


@pytest.fixture
def other() -> Iterator[socket.socket]:
    """Open the socket of another node."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        opened.settimeout(5)
        yield opened


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> int:
    """Serve a node on loopback; return the port of its datagrams."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("", 0))
        free: int = probe.getsockname()[1]
    monkeypatch.setattr(underlay, "CONTROL_PORT", free)
    monkeypatch.setattr(links, "underlay", list)
    carrier = Underlay(LocalConf({}, (9993, 0, 0)))
    node = Node(Home(tmp_path), carrier)
    threading.Thread(target=carrier.serve, args=(node,), daemon=True).start()
    return free


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\xff",
        b"{",
        b"7",
        b"[]",
        b"{}",
        json.dumps({"kind": "hello"}).encode(),
        json.dumps(HELLO | {"identity": CARD["identity"]}).encode(),
        json.dumps(CARD | {"kind": "heard", "sent": "soon", "moons": [], "met": []}).encode(),
        json.dumps(CARD | HELLO | {"avoid": ["nowhere"]}).encode(),
        json.dumps(CARD | {"kind": "relay"}).encode(),
        json.dumps(CARD | {"kind": "ask"}).encode(),
        json.dumps(CARD | {"kind": "bogus"}).encode(),
    ],
)
def test_datagram_that_is_no_message_is_dropped(
    port: int, other: socket.socket, junk: bytes
) -> None:
    """The node goes on: it answers the hello that comes next."""
    other.sendto(junk, ("127.0.0.1", port))
    other.sendto(json.dumps(CARD | HELLO).encode(), ("127.0.0.1", port))
    answer = json.loads(other.recv(65507))
    assert (answer["kind"], answer["sent"], answer["moons"], answer["met"]) == ("heard", 7, [], [])


def test_interfaces_are_looked_up_again_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list is good for some seconds, unless a datagram could not be sent."""
    calls: list[int] = []

    def found() -> list[Interface]:
        calls.append(1)
        return [Interface("eth0", "10.0.0.1", "10.0.0.255")]

    monkeypatch.setattr(links, "underlay", found)
    monkeypatch.setattr(underlay, "CONTROL_PORT", 0)
    carrier = Underlay(LocalConf({}, (9993, 0, 0)))
    assert carrier.local_addresses() == carrier.local_addresses() == ["10.0.0.1"]
    assert len(calls) == 1
    # Longer than a datagram can be: the kernel refuses it at once.
    carrier.send({"text": "x" * 70000}, ("127.0.0.1", 9))
    carrier.local_addresses()
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [(7, 7), ("7", 7), (65536 + 7, 7), ("seven", 0), (True, 1), (None, 9), ([], 9), (7.9, 7)],
)
def test_port_is_read_as_loosely_as_the_real_one_reads_it(value: object, expected: int) -> None:
    """Sixteen bits of a number or of a text of digits."""
    assert as_port(value, 9) == expected


def test_other_values_fall_back_to_their_default() -> None:
    """A value of a wrong type counts as none."""
    assert as_object([]) == {}
    assert as_object({"a": 1}) == {"a": 1}
    assert as_text(7, "default") == "default"
    assert as_text("", "default") == ""
    assert as_truth({}, default=True) is True
    assert as_truth("", default=True) is False
