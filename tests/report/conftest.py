"""Runs to report on, and a browser to open their pages in."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "app" / "src"), str(ROOT / "tests"), str(Path(__file__).parent)]

from playwright.sync_api import Browser, sync_playwright  # noqa: E402 - found by the line above
from report_browser import CHROMIUM, Opened, open_page  # noqa: E402
from report_runs import lab_run  # noqa: E402
from server_monitoring.cli import main  # noqa: E402

Open = Callable[..., Opened]


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the results folder of the lab's data set, with its page."""
    folder = lab_run(tmp_path_factory.mktemp("lab") / "lab-run")
    assert main(["report", str(folder)]) == 0
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Debian's Chromium once, without a window; as root it runs without its sandbox."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


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
