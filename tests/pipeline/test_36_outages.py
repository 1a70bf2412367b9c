"""Outages in the middle of a run, of broker, overlay, disk and clock: all rows, once each."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.pipeline import accounting
from tests.pipeline.outages import free_disk, overlay_cut, own_clock, set_clock, small_disk
from tests.pipeline.runs import RUNS, Name, Run
from tests.pipeline.storm import rows_stored
from tests.support.playbooks import Result, on

CUT_SECONDS = 30
DAY_SECONDS = 86_400


def until(what: str, happened: Callable[[], bool]) -> None:
    """Wait at most two minutes for something to happen."""
    deadline = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.2)


def disturbed(
    run_pipeline: Run, run_id: str, disturb: Callable[[str], None], **settings: Any
) -> tuple[Result, Path]:
    """Run the pipeline, and `disturb` it beside once the producer has begun to send."""

    def beside() -> None:
        begun = f"[ -s {RUNS}/{run_id}/produce.started ] && echo yes || true"
        until("the producer begins", lambda: on("producer-1", begun) == "yes")
        disturb(run_id)

    with ThreadPoolExecutor(max_workers=1) as pool:
        disturbance = pool.submit(beside)
        result, folder = run_pipeline(run_id, pipeline_min_free=0, **settings)
        disturbance.result()
    return result, folder


def test_broker_and_overlay_may_be_away(run_pipeline: Run, run_name: Name) -> None:
    """The broker is restarted in the middle; later nobody reaches it for 30 s."""
    before = accounting.end_offsets()

    def disturb(run_id: str) -> None:
        until("rows are stored", lambda: rows_stored("consumer-1", run_id) > 0)
        on("kafka-1", "systemctl restart kafka")
        stored = rows_stored("consumer-1", run_id)
        until("rows are stored again", lambda: rows_stored("consumer-1", run_id) > stored)
        with overlay_cut("kafka-1", "172.29.0.1"):
            time.sleep(CUT_SECONDS)

    result, folder = disturbed(run_pipeline, run_name("away"), disturb, pipeline_rate=600)
    assert result.status == 0, result.tail()
    accounting.check(folder, before)


def test_disk_may_fill_and_clocks_may_jump(run_pipeline: Run, run_name: Name) -> None:
    """One consumer waits for space; the clock of the other one jumps back and forth."""
    before = accounting.end_offsets()

    def disturb(run_id: str) -> None:
        set_clock("consumer-1", "+3d")
        status = "systemctl show --property=StatusText server-monitoring-consume-net_disk@"
        until("it is full", lambda: "waiting for space" in on("consumer-2", status + run_id))
        set_clock("consumer-1", "-1d")
        time.sleep(3)
        free_disk("consumer-2")

    with small_disk("consumer-2"), own_clock("consumer-1", "consume-cpu_mem"):
        name = run_name("full-and-jumping")
        result, folder = disturbed(run_pipeline, name, disturb)
        assert result.status == 0, result.tail()
        accounting.check(folder, before)
        facts = json.loads(on("consumer-1", f"cat {RUNS}/{folder.name}/consume-cpu_mem.json"))
        began, ended = (datetime.fromisoformat(facts[key]) for key in ("started", "ended"))
        assert abs((ended - began).total_seconds()) > DAY_SECONDS / 2, "no clock jumped"
