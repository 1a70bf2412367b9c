"""Fixtures of the tests of ZeroTier's double and role."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# Helpers have a name of their own: every folder of tests may have a conftest.
sys.path.insert(0, str(Path(__file__).parent))

from zerotier_lab import Cluster, Served
from zerotier_runner import Runner

if TYPE_CHECKING:
    from collections.abc import Iterator


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
