"""The analysis waits for the consumer's last word, and for nothing else."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from server_monitoring.analysis.waiting import wait_for_consumer
from server_monitoring.errors import AnalysisError
from server_monitoring.host.runs import Run
from server_monitoring.model.groups import Group
from server_monitoring.settings import config

SUMMARY = {"run_id": "r1", "group": "cpu_mem", "rows": {"topic-cpu": 1}}


class Clock:
    """Time that passes by sleeping; what a test plans happens meanwhile."""

    def __init__(self, events: dict[float, Callable[[], object]]) -> None:
        """Call each of `events` once so many seconds have passed."""
        self.now = 0.0
        self.events = events

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        assert seconds > 0
        self.now += seconds
        for due in [at for at in self.events if at <= self.now]:
            self.events.pop(due)()


@pytest.fixture
def group(values: dict[str, Any], write: Callable[[object], Path]) -> Group:
    """Return a group."""
    return config.load(write(values)).group("cpu_mem")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a run with a folder."""
    made = Run(tmp_path / "data", "r1")
    made.create()
    return made


def waited(run: Run, group: Group, seconds: float, clock: Clock) -> list[str]:
    """Wait, and return what was said."""
    said: list[str] = []
    wait_for_consumer(run, group, seconds, said.append, lambda: clock.now, clock.sleep)
    return said


def test_a_summary_that_is_there_is_not_waited_for(run: Run, group: Group) -> None:
    """As after a killed analysis."""
    run.consumed("cpu_mem").write_text(json.dumps(SUMMARY))
    clock = Clock({})
    assert waited(run, group, 60, clock) == ["waiting for the consumer of cpu_mem"]
    assert clock.now == 0


def test_only_the_summary_of_this_run_and_group_ends_the_wait(run: Run, group: Group) -> None:
    """Half a file, another run's and another group's do not."""

    def leave(text: str) -> Callable[[], object]:
        return lambda: run.consumed("cpu_mem").write_text(text)

    clock = Clock(
        {
            1: lambda: run.consumed("net_disk").write_text(json.dumps(SUMMARY)),
            2: leave(json.dumps(SUMMARY)[:20]),
            3: leave("[]"),
            4: leave(json.dumps(SUMMARY | {"run_id": "r0"})),
            5: leave(json.dumps(SUMMARY | {"group": "net_disk"})),
            50: leave(json.dumps(SUMMARY)),
        }
    )
    waited(run, group, 60, clock)
    assert 50 <= clock.now < 51


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file or directory after 2.5 s of waiting for the consumer of cpu_mem on"),
        ("{", "no consumer's summary after 2.5 s"),
        (json.dumps(SUMMARY | {"run_id": "r0"}), "found run r0 and group cpu_mem after 2.5 s"),
    ],
)
def test_a_wait_ends_with_what_was_missing(
    run: Run, group: Group, content: str | None, message: str
) -> None:
    """Not a look later than it was given, and with what to do."""
    if content is not None:
        run.consumed("cpu_mem").write_text(content)
    clock = Clock({})
    with pytest.raises(AnalysisError) as caught:
        waited(run, group, 2.5, clock)
    assert str(caught.value).startswith(f"{run.consumed('cpu_mem')}: {message}")
    assert "start the same command again" in str(caught.value)
    assert clock.now == pytest.approx(2.5)


def test_a_consumer_that_failed_is_not_waited_for(run: Run, group: Group) -> None:
    """Nobody may be there to stop the job; half a file is no word yet."""
    run.failed("cpu_mem").write_text("{")
    reason = json.dumps({"run_id": "r1", "reason": "no record"})
    clock = Clock({30: lambda: run.failed("cpu_mem").write_text(reason)})
    with pytest.raises(AnalysisError, match=r"cpu_mem\.failed: its consumer failed: no record"):
        waited(run, group, 600, clock)
    assert 30 <= clock.now < 31
