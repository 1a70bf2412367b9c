"""Outages in the middle of a run, of broker, overlay, disk and clock: all rows, once each.

`make test-long-pipeline` has each on its own and longer, the short tests several in one run.
"""

import pytest

from tests.pipeline import accounting
from tests.pipeline.disturbed import Running, disturbed
from tests.pipeline.outages import (
    CONSUMER,
    assert_jumped,
    cut_off_the_broker,
    fill_and_jump,
    own_clock,
    small_disk,
)
from tests.pipeline.runs import Name, Run
from tests.pipeline.storm import rows_stored
from tests.support.playbooks import on

pytestmark = pytest.mark.long


def test_broker_and_overlay_may_be_away(run_pipeline: Run, run_name: Name) -> None:
    """The broker is restarted in the middle; later nobody reaches it for 30 s."""
    before = accounting.end_offsets()

    def disturb(running: Running) -> None:
        running.until("rows are stored", lambda: rows_stored("consumer-1", running.id) > 0)
        on("kafka-1", "systemctl restart kafka")
        stored = rows_stored("consumer-1", running.id)
        more = "rows are stored again"
        running.until(more, lambda: rows_stored("consumer-1", running.id) > stored)
        cut_off_the_broker(running, 30)

    _, folder = disturbed(run_pipeline, run_name("away"), disturb, pipeline_rate=600)
    accounting.check(folder, before)


def test_disk_may_fill_and_clocks_may_jump(run_pipeline: Run, run_name: Name) -> None:
    """One consumer waits for space; the clock of the other one jumps back and forth."""
    before = accounting.end_offsets()
    with small_disk("consumer-2"), own_clock("consumer-1", CONSUMER):
        _, folder = disturbed(run_pipeline, run_name("full-and-jumping"), fill_and_jump)
        accounting.check(folder, before)
        assert_jumped(folder.name)
