"""Helpers of the tests of ZeroTier Central's client and of the fake Central."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.server_monitoring.cluster.plugins.module_utils.zerotier import central_http
from ansible_collections.server_monitoring.cluster.plugins.module_utils.zerotier.api import (
    ZerotierError,
)
from ansible_collections.server_monitoring.cluster.plugins.module_utils.zerotier.central import (
    Central,
)

from tests.support.zerotier_lab import NETWORK, Json

if TYPE_CHECKING:
    from collections.abc import Callable

    from central_server import FakeCentral

TOKEN = "Kq7-example-of-a-token-8Zw2"  # noqa: S105 - known to the fake alone
MEMBER = "a87adac07d"
UNKNOWN = NETWORK

WANTED: Json = {
    "name": "probe",
    "private": True,
    "mtu": 1400,
    "routes": [{"target": "172.29.0.0/24", "via": None}],
    "ipAssignmentPools": [],
    "v4AssignMode": {"zt": True},
}
JOINED: Json = {
    "name": "producer-1",
    "authorized": True,
    "ipAssignments": ["172.29.0.2"],
    "noAutoAssignIps": True,
}


class Clock:
    """Stands in for the module `time`: sleeping takes no time and is written down."""

    def __init__(self, now: float = 1_795_476_700.0) -> None:
        """Start at a time in seconds since the epoch."""
        self.now = now
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Return the time."""
        return self.now

    time = monotonic

    def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.slept.append(seconds)
        self.now += seconds


def stopped(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the client a clock of the test's own."""
    clock = Clock()
    monkeypatch.setattr(central_http, "time", clock)
    return clock


def client(fake: FakeCentral, timeout: float = 5.0, **settings: Any) -> Central:
    """Return a client of the fake."""
    return Central(TOKEN, fake.url, timeout, **settings)


def refusal(call: Callable[[], object]) -> str:
    """Return the line with which a call fails, after looking for the token and line breaks."""
    with pytest.raises(ZerotierError) as caught:
        call()
    line = str(caught.value)
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    assert TOKEN not in repr(caught.value)
    assert line == " ".join(line.split())
    return line
