"""The parts under test live in roles and files, not in a package: load them by path."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.project import PROJECT

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


def load(path: Path) -> ModuleType:
    """Import a file that is no member of a package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name.
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def plan_module() -> ModuleType:
    """Return the pure logic of the module kafka_topic."""
    return load(PROJECT / "roles/kafka_topics/module_utils/kafka_topic_plan.py")


@pytest.fixture(scope="session")
def access_plan() -> ModuleType:
    """Return the pure logic of the module kafka_access."""
    return load(PROJECT / "roles/kafka_access/module_utils/kafka_access_plan.py")


@pytest.fixture(scope="session")
def accounts() -> ModuleType:
    """Return the filters of the role kafka_access."""
    return load(PROJECT / "roles/kafka_access/filter_plugins/kafka_access.py")
