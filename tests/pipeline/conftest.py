"""Fixtures of the end-to-end tests: runs, and inventories with one thing changed."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.fault_plan import KINDS
from tests.pipeline.runs import RESULTS, Name, Run
from tests.support.inventories import changed
from tests.support.playbooks import Result, play
from tests.support.storm_options import add_storm_options


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare how long a storm of faults lasts, its seed, and what it leaves out."""
    add_storm_options(parser)
    parser.addoption(
        "--without", action="append", default=[], choices=KINDS, help="a kind of fault to leave out"
    )


@pytest.fixture(scope="session")
def run_pipeline() -> Run:
    """Return a function that runs the pipeline under a name: (result, results folder)."""

    def run(name: str, *, inventory: Path | None = None, **settings: Any) -> tuple[Result, Path]:
        folder = RESULTS / name
        shutil.rmtree(folder, ignore_errors=True)
        extra = {"pipeline_run_id": name, **settings}
        return play("run_pipeline.yml", inventory=inventory, extra=extra), folder

    return run


@pytest.fixture(scope="session")
def first_run(run_pipeline: Run, run_name: Name) -> tuple[Result, Path]:
    """Return the run on the lab's own data set, with the lab's own settings."""
    return run_pipeline(run_name("first"))


@pytest.fixture(scope="session")
def run_name(tmp_path_factory: pytest.TempPathFactory) -> Name:
    """Return a function that makes a name no earlier session of tests has used."""
    session = tmp_path_factory.mktemp("runs").stat().st_ctime_ns // 1_000_000
    return lambda name: f"test-{name}-{session}"


@pytest.fixture
def changed_inventory(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that copies the lab's inventory and lets a function change its hosts."""
    return lambda change: changed(tmp_path, change)
