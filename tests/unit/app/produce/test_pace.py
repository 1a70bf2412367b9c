"""Rows at a rate or at the data's own pace, by a clock that the tests move."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from server_monitoring.model.timestamps import CLOCK, ISO
from server_monitoring.produce.pace import Pace, chunks
from server_monitoring.sources.rows import Row


class Clock:
    """A clock that only moves when someone sleeps, or works."""

    def __init__(self) -> None:
        """Begin anywhere."""
        self.now = 1_000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Move on."""
        assert seconds > 0
        self.slept.append(seconds)
        self.now += seconds


def rows(times: Iterable[str]) -> list[Row]:
    """Return rows with these times."""
    return [Row(2 + i, ts, "a", ["1.0"]) for i, ts in enumerate(times)]


def sent(data: list[Row], pace: Pace, clock: Clock, work: float = 0.0) -> list[tuple[int, float]]:
    """Return each row's line and when it was given on; a chunk takes `work` seconds."""
    found = []
    for chunk in chunks(data, 100, pace):
        found += [(row.line, clock.now - 1_000.0) for row in chunk]
        clock.now += work
    return found


def test_without_a_pace_rows_come_in_whole_chunks_and_nobody_looks_at_the_clock() -> None:
    """The usual case costs nothing."""

    def never() -> float:
        raise AssertionError

    data = rows(["20:52:00"] * 250)
    assert [len(chunk) for chunk in chunks(data, 100, Pace(clock=never))] == [100, 100, 50]
    assert list(chunks([], 100, Pace())) == []


@pytest.mark.parametrize("rate", [0.5, 7, 100, 1_000, 50_000])
def test_a_rate_is_kept_on_the_whole_and_at_each_moment(rate: float) -> None:
    """Never more rows than are due, but for those of the shortest wait; no drift."""
    clock = Clock()
    found = sent(
        rows(["20:52:00"] * 300), Pace(rate, clock=lambda: clock.now, sleep=clock.sleep), clock
    )
    assert [line for line, _ in found] == list(range(2, 302))
    for place, (_, at) in enumerate(found):
        assert place / rate - 0.05 <= at <= place / rate + 1e-6
    assert all(wait >= 0.05 for wait in clock.slept)


def test_time_spent_sending_is_made_up_for() -> None:
    """A slow chunk delays the next one by nothing."""
    clock = Clock()
    pace = Pace(100, clock=lambda: clock.now, sleep=clock.sleep)
    found = sent(rows(["20:52:00"] * 1_000), pace, clock, work=0.03)
    assert found[-1][1] == pytest.approx(9.99, abs=0.1)


def test_realtime_follows_the_times_of_the_data() -> None:
    """Gaps are waited for; rows out of order are sent at once."""
    clock = Clock()
    times = ["20:52:00", "20:52:00", "20:52:10", "20:52:05", "20:53:00", "20:52:59"]
    pace = Pace(second_of=CLOCK.to_seconds, clock=lambda: clock.now, sleep=clock.sleep)
    assert [at for _, at in sent(rows(times), pace, clock)] == [0, 0, 10, 10, 60, 60]


def test_realtime_knows_zones() -> None:
    """The clocks change between the two rows."""
    clock = Clock()
    times = ["2024-10-27T02:59:30+02:00", "2024-10-27T02:00:00+01:00"]
    pace = Pace(second_of=ISO.to_seconds, clock=lambda: clock.now, sleep=clock.sleep)
    assert [at for _, at in sent(rows(times), pace, clock)] == [0, 30]


def test_rate_and_realtime_hold_both() -> None:
    """The later of the two decides."""
    clock = Clock()
    times = ["20:52:00"] * 4 + ["20:52:10"] * 2
    pace = Pace(2, CLOCK.to_seconds, clock=lambda: clock.now, sleep=clock.sleep)
    assert [at for _, at in sent(rows(times), pace, clock)] == [0, 0.5, 1, 1.5, 10, 10]


def test_rows_that_were_sent_before_are_not_waited_for() -> None:
    """A producer that goes on begins its pace with the first row that is missing."""
    clock = Clock()
    data = rows(f"20:{minute:02d}:00" for minute in range(10))
    pace = Pace(second_of=CLOCK.to_seconds, after=7, clock=lambda: clock.now, sleep=clock.sleep)
    found = sent(data, pace, clock)
    assert [at for _, at in found] == [0, 0, 0, 0, 0, 0, 0, 60, 120, 180]
    assert all(a[0] < b[0] for a, b in pairwise(found))
