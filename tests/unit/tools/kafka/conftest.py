"""The builder of Kafka's archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.plugins import load

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture(scope="session")
def builder() -> ModuleType:
    """Return the archive's builder."""
    return load("tools/kafka/build_archive.py")
