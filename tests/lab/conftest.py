"""Fixtures of the tests that make a cluster of bare nodes: packages of ZeroTier to install."""

import pytest

from tests.overlay import zerotier_packages as making
from tests.overlay.zerotier_packages import Packages


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """Make the packages and their repository."""
    return making.make(tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="session")
def served(packages: Packages) -> Packages:
    """Serve the repository to the nodes, until a node's firewall closes it."""
    making.serve(packages.repository)
    return packages
