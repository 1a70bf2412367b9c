"""The page of a large run: how long it takes to be made, how large it is, and how soon it opens."""

import os
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.measurement import Measurement
from tests.bench.processes import Watched
from tests.report.report_browser import chromium, open_page
from tests.support.report_runs import wide_run

MADE_SECONDS, MADE_MIB, PAGE_MB, OPENED_SECONDS = 60.0, 1024.0, 5.0, 2.0
_TIMEOUT = 600.0


def measure(servers: int, windows: int) -> list[Measurement]:
    """Return what the page of a run costs.

    Args:
        servers: of the run.
        windows: of each server, in each table.

    """
    with tempfile.TemporaryDirectory(prefix="bench-page-") as name:
        folder = wide_run(Path(name) / "wide", servers, windows)
        command = [sys.executable, "-m", "server_monitoring", "report", str(folder)]
        maker = Watched(command, os.environ)
        made = maker.wait(_TIMEOUT)
        page = folder / "report.html"
        figures = [
            ("made", "s", made, MADE_SECONDS),
            ("memory of its making", "MiB", maker.peak, MADE_MIB),
            ("size", "MB", page.stat().st_size / 1e6, PAGE_MB),
            ("opened", "s", _opened_seconds(page), OPENED_SECONDS),
        ]
    run = f"Page of {servers:,} servers with {windows:,} windows each"
    return [
        Measurement(f"{run}: {what}", unit, value, None, bar, at_most=True)
        for what, unit, value, bar in figures
    ]


def _opened_seconds(page: Path) -> float:
    with chromium() as browser:
        began = time.monotonic()
        open_page(browser, page)
        return time.monotonic() - began
