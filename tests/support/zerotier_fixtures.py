"""Fixtures of the tests of ZeroTier's double and role."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from central_server import FakeCentral

# Helpers have a name of their own: every folder of tests may have a conftest.
from tests.support.central_client import TOKEN, Clock, stopped
from tests.support.zerotier_lab import Cluster, Served
from tests.support.zerotier_runner import Runner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    On = Callable[[str], Runner]


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """Start three fresh nodes."""
    return Cluster(tmp_path)


@pytest.fixture
def served(cluster: Cluster) -> Iterator[Served]:
    """Serve the API of node A, the controller."""
    serving = Served(cluster["A"], cluster.home("A"))
    yield serving
    serving.close()


@pytest.fixture
def runner(served: Served, capsys: pytest.CaptureFixture[str]) -> Runner:
    """Run modules on the controller's host."""
    return Runner(served.home, capsys)


@pytest.fixture
def runner_on(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> Iterator[On]:
    """Run modules on the node of a name, whose API is served from then on."""
    serving: list[Served] = []

    def run_on(name: str) -> Runner:
        serving.append(Served(cluster[name], cluster.home(name)))
        return Runner(cluster.home(name), capsys)

    yield run_on
    for one in serving:
        one.close()


@pytest.fixture
def fake() -> Iterator[FakeCentral]:
    """Serve a fake ZeroTier Central that knows one token."""
    serving = FakeCentral(TOKEN)
    yield serving
    serving.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Let waiting for Central take no time."""
    return stopped(monkeypatch)


@pytest.fixture
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the proxies of the environment."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
