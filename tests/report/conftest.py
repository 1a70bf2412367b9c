"""Runs to report on, and a browser to open their pages in."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from server_monitoring.cli import main

from tests.report.report_browser import Opened, chromium, open_page
from tests.support.report_runs import lab_run

Open = Callable[..., Opened]


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the results folder of the lab's data set, with its page."""
    folder = lab_run(tmp_path_factory.mktemp("lab") / "lab-run")
    assert main(["report", str(folder)]) == 0
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start a browser once."""
    with chromium() as started:
        yield started


@pytest.fixture
def opened(browser: Browser) -> Iterator[Open]:
    """Return a function that opens a page; at the end none has complained or asked for anything."""
    pages: list[Opened] = []

    def open_one(path: Path, **options: Any) -> Opened:
        pages.append(open_page(browser, path, **options))
        return pages[-1]

    yield open_one
    for page in pages:
        page.context.close()
        assert page.problems == []
        assert page.requests == [page.url]
