"""Fixtures of the overlay's tests: nodes without ZeroTier, packages to install, inventories."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.overlay import zerotier_packages as making
from tests.overlay.lab_overlay import lab_up
from tests.overlay.zerotier_packages import Packages
from tests.support.inventories import changed
from tests.support.playbooks import play


@pytest.fixture(scope="session")
def bare_lab() -> None:
    """Bring up four nodes that have no ZeroTier yet."""
    down = play("playbooks/lab_down.yml")
    assert down.status == 0, down.tail()
    lab_up(bare=True)


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """Make the packages and their repository."""
    return making.make(tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="session")
def served(bare_lab: None, packages: Packages) -> Packages:  # noqa: ARG001 -- on its nodes
    """Serve the repository to the bare nodes."""
    making.serve(packages.repository)
    return packages


@pytest.fixture
def changed_inventory(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that copies the lab's inventory and lets a function change its hosts."""
    return lambda change: changed(tmp_path, change)
