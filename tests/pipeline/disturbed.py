"""A run, and what disturbs it beside."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.pipeline.runs import RUNS, Run
from tests.support.playbooks import Result, on

PATIENCE_SECONDS = 120


def until(what: str, happened: Callable[[], bool]) -> None:
    """Wait at most two minutes for something to happen.

    Raises:
        AssertionError: it did not.

    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.2)


@dataclass(frozen=True)
class Running:
    """A run that goes on, until `over` is set."""

    id: str
    over: threading.Event

    def until(self, what: str, happened: Callable[[], bool]) -> None:
        """Wait at most two minutes for something to happen in the run.

        Raises:
            AssertionError: it did not, or the run ended before.

        """
        until(what, lambda: happened() or self.over.is_set())
        assert not self.over.is_set() or happened(), f"the run ended before: {what}"


def disturbed(
    run_pipeline: Run, run_id: str, disturb: Callable[[Running], None], **settings: Any
) -> tuple[Result, Path]:
    """Run the pipeline to a good end, and `disturb` it beside once the producer has begun to send.

    Raises:
        AssertionError: the run failed, or `disturb` raised it.

    """
    running = Running(run_id, threading.Event())

    def beside() -> None:
        begun = f"[ -s {RUNS}/{run_id}/produce.started ] && echo yes || true"
        running.until("the producer begins", lambda: on("producer-1", begun) == "yes")
        disturb(running)

    with ThreadPoolExecutor(max_workers=1) as pool:
        disturbance = pool.submit(beside)
        try:
            no_room = {"pipeline_min_free": 0, "pipeline_space_factor": 0}
            result, folder = run_pipeline(run_id, **no_room, **settings)
        finally:
            running.over.set()
        assert result.status == 0, result.tail()
        disturbance.result()
    return result, folder
