"""Runs that are disturbed in several ways: every row once, the exact tables, and no secret shown.

After all that broke in the tests before, they also show that the next run works. Each disturbance
on its own, longer and more often: `make chaos` and `make test-long-pipeline`.
"""

from itertools import islice
from pathlib import Path

from tests.pipeline.accounting import check, end_offsets
from tests.pipeline.background import kill
from tests.pipeline.disturbed import Running, disturbed
from tests.pipeline.fault_plan import lab, plan
from tests.pipeline.outages import (
    CONSUMER,
    assert_jumped,
    cut_off_the_broker,
    fill_and_jump,
    own_clock,
    small_disk,
)
from tests.pipeline.rotation import Rotation
from tests.pipeline.runs import CPU_MEM, NET_DISK, Name, Run
from tests.pipeline.storm import Overcome, Storm, report
from tests.support.playbooks import Result, on

ROWS = 25_920
# In it the disk fills, the clock jumps, and the passwords and certificates change.
ROTATION_RATE = 350
# Producer, both consumers and broker, once each: ten seconds a kill, the cut, and to overcome it.
KILLS, CUT_SECONDS = 4, 15
STORM_RATE = ROWS // (KILLS * 10 + CUT_SECONDS + 20)


def test_rotation_after_a_full_disk_and_jumps_of_a_clock(
    first_run: tuple[Result, Path], run_pipeline: Run, run_name: Name
) -> None:
    """Tables are those of the first run byte for byte, with no row of the runs between."""
    before, rotation = end_offsets(), Rotation()

    def disturb(running: Running) -> None:
        fill_and_jump(running)
        rotation.happen()

    with small_disk("consumer-2", "200k"), own_clock("consumer-1", CONSUMER):
        result, folder = disturbed(
            run_pipeline, run_name("rotated"), disturb, pipeline_rate=ROTATION_RATE
        )
        check(folder, before)
        assert_jumped(folder.name)
    rotation.check(result.output)
    _, first = first_run
    for table in (CPU_MEM, NET_DISK):
        assert (folder / table).read_bytes() == (first / table).read_bytes()


def test_kills_then_an_outage_then_a_killed_spark_job(run_pipeline: Run, run_name: Name) -> None:
    """SIGKILL of everything and a broker out of reach cost time, and neither a row nor an alert."""
    before = end_offsets()
    kills: list[Overcome] = []
    killed_jobs: list[str] = []

    def disturb(running: Running) -> None:
        storm = Storm(lab(), running.id, running.over.is_set)
        kills.extend(storm.rage(islice(plan(lab(), seed=47), KILLS)))
        cut_off_the_broker(running, CUT_SECONDS)
        killed_jobs.append(on("consumer-2", kill(f"java.*analyze --run-id {running.id}")))

    _, folder = disturbed(run_pipeline, run_name("storm"), disturb, pipeline_rate=STORM_RATE)
    print(report(kills))  # noqa: T201 -- pytest shows it
    assert len(kills) == KILLS
    check(folder, before)
    assert killed_jobs == ["1"]
    unit = f"server-monitoring-analyze-net_disk@{folder.name}"
    assert on("consumer-2", f"journalctl --unit={unit} | grep -c code=killed") == "1"
