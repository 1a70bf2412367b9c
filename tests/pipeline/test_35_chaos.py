"""SIGKILL of everything at random moments costs time, and neither a row nor an alert."""

import random
from pathlib import Path

import pytest

from tests.pipeline import accounting
from tests.pipeline.disturbed import Running, disturbed
from tests.pipeline.runs import Name, Run
from tests.pipeline.storm import Kill, Storm, report

pytestmark = pytest.mark.long

KILLS_A_RUN = 40
ROWS = 25_920
# From one kill until the next: what it takes to overcome one, on average, and some more.
SECONDS_A_KILL = 12


def stormy_run(
    run_pipeline: Run, run_id: str, kills: int, rng: random.Random
) -> tuple[Path, list[Kill]]:
    """Run the pipeline with a storm beside it, so slowly that its rows outlast the kills."""
    done: list[Kill] = []

    def disturb(running: Running) -> None:
        done.extend(Storm(run_id, rng, running.over.is_set).rage(kills))

    rate = ROWS // (kills * SECONDS_A_KILL)
    _, folder = disturbed(run_pipeline, run_id, disturb, pipeline_rate=rate)
    return folder, done


def test_runs_survive_kills_at_random_moments(
    run_pipeline: Run, run_name: Name, request: pytest.FixtureRequest
) -> None:
    """Producer, both consumers and broker; `--kills` in all, `--seed` to repeat the moments."""
    wanted, seed = request.config.getoption("--kills"), request.config.getoption("--seed")
    rng = random.Random(seed)
    kills: list[Kill] = []
    number = 0
    while len(kills) < wanted:
        number += 1
        before = accounting.end_offsets()
        run_id = run_name(f"storm-{seed}-{number}")
        folder, done = stormy_run(run_pipeline, run_id, min(KILLS_A_RUN, wanted - len(kills)), rng)
        kills += done
        print(f"{run_id}: {len(done)} kills, {len(kills)} of {wanted}\n{report(kills)}")  # noqa: T201
        assert done, "the run was over before anything was killed"
        accounting.check(folder, before)
