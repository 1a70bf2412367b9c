"""Faults at random moments of runs cost time, and neither a row nor an alert.

With one broker everything is killed. With several (`make chaos INVENTORY=lab-ha`) the active
controller too, and the brokers' links, disks and clocks break.
"""

from itertools import islice
from pathlib import Path

import pytest

from tests.pipeline import accounting
from tests.pipeline.broker_faults import prepared
from tests.pipeline.disturbed import Running, disturbed
from tests.pipeline.fault_plan import KINDS, Fault, lab, plan
from tests.pipeline.runs import Name, Run
from tests.pipeline.storm import Overcome, Storm, report

pytestmark = pytest.mark.long

FAULTS_A_RUN = 40
ROWS = 25_920
# From one fault until the next, on average: rows that are sent before do not wait for a storm.
SECONDS_A_FAULT = 11


def stormy_run(run_pipeline: Run, run_id: str, faults: list[Fault]) -> tuple[Path, list[Overcome]]:
    """Run the pipeline with a storm beside it, so slowly that its rows outlast most faults."""
    done: list[Overcome] = []

    def disturb(running: Running) -> None:
        done.extend(Storm(lab(), run_id, running.over.is_set).rage(faults))

    rate = ROWS // (len(faults) * SECONDS_A_FAULT)
    _, folder = disturbed(run_pipeline, run_id, disturb, pipeline_rate=rate)
    return folder, done


def test_runs_survive_faults_at_random_moments(
    run_pipeline: Run, run_name: Name, request: pytest.FixtureRequest
) -> None:
    """`--faults` in all, `--seed` to repeat them, `--without` a kind that is left out."""
    option = request.config.getoption
    wanted, seed, without = option("--faults"), option("--seed"), option("--without")
    planned = list(islice(plan(lab(), seed, without), wanted))
    done: list[Overcome] = []
    with prepared(lab(), set(KINDS) - set(without)):
        while len(done) < wanted:
            before = accounting.end_offsets()
            run_id = run_name(f"storm-{seed}-{len(done)}")
            faults = planned[len(done) : len(done) + FAULTS_A_RUN]
            folder, happened = stormy_run(run_pipeline, run_id, faults)
            done += happened
            print(f"{run_id}: {len(done)} of {wanted} faults\n{report(done)}")  # noqa: T201
            assert happened, "the run was over before anything broke"
            accounting.check(folder, before)
