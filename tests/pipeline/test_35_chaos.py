"""SIGKILL of everything at random moments costs time, and neither a row nor an alert."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.pipeline import accounting
from tests.pipeline.runs import Name, Run
from tests.pipeline.storm import Kill, Storm, report
from tests.support.playbooks import Result

KILLS_A_RUN = 40
ROWS = 25_920
# From one kill until the next: what it takes to overcome one, on average, and some more.
SECONDS_A_KILL = 12


def stormy_run(
    run_pipeline: Run, run_id: str, kills: int, rng: random.Random
) -> tuple[Result, Path, list[Kill]]:
    """Run the pipeline with a storm beside it, so slowly that its rows outlast the kills."""
    rate = ROWS // (kills * SECONDS_A_KILL)
    ended = threading.Event()
    with ThreadPoolExecutor(max_workers=1) as beside:
        storm = beside.submit(Storm(run_id, rng, ended.is_set).rage, kills)
        result, folder = run_pipeline(run_id, pipeline_rate=rate)
        ended.set()
        return result, folder, storm.result()


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
        result, folder, done = stormy_run(
            run_pipeline, run_id, min(KILLS_A_RUN, wanted - len(kills)), rng
        )
        kills += done
        print(f"{run_id}: {len(done)} kills, {len(kills)} of {wanted}\n{report(kills)}")  # noqa: T201
        assert result.status == 0, result.tail()
        assert done, "the run was over before anything was killed"
        accounting.check(folder, before)
