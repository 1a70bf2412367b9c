"""Fixtures of the overlay's tests: inventories with one thing changed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.inventories import changed


@pytest.fixture
def changed_inventory(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that copies the lab's inventory and lets a function change its hosts."""
    return lambda change: changed(tmp_path, change)
