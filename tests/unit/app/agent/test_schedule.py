"""Seconds to sample, by a given clock: in order, none twice, none made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from server_monitoring.agent.schedule import FAR_SECONDS, Due, Schedule

NOON = 1_717_243_200.0


class Clock:
    """A clock on the wall, and the time that really passes."""

    def __init__(self, now: float = NOON, late: float = 0.0) -> None:
        """Begin at `now`; the process wakes `late`."""
        self.now = now
        self.running = 5000.0
        self.waits: list[float] = []
        self.told: list[str] = []
        self.late = late

    def passes(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.running += seconds

    def wait(self, seconds: float) -> bool:
        """Wait, and wake as late as the machine does, or too early once."""
        self.waits.append(seconds)
        self.passes(seconds + self.late)
        self.late = max(0.0, self.late)
        return False

    def schedule(self, interval: int = 10, last: int = 0) -> Schedule:
        """Return a schedule by this clock."""
        return Schedule(
            interval,
            last,
            self.wait,
            self.told.append,
            clock=lambda: self.now,
            running=lambda: self.running,
        )


def due(schedule: Schedule) -> Due:
    """Return the next second, which there is."""
    found = schedule.next()
    assert found is not None
    return found


def next_seconds(schedule: Schedule, count: int) -> list[int]:
    """Return the next seconds after noon; none was missed."""
    found = [due(schedule) for _ in range(count)]
    assert not any(one.missed for one in found)
    return [one.second - int(NOON) for one in found]


def test_seconds_are_multiples_of_the_interval_however_late_it_wakes() -> None:
    """And waits do not add up."""
    clock = Clock(NOON + 3.25, late=0.4)
    assert next_seconds(clock.schedule(), 4) == [10, 20, 30, 40]
    assert clock.now == pytest.approx(NOON + 40.4)


def test_a_process_that_wakes_an_interval_late_misses_seconds_and_counts_them() -> None:
    """What is sampled then is of the last second that has come."""
    clock = Clock()
    schedule = clock.schedule(interval=1)
    assert next_seconds(schedule, 1) == [1]
    clock.passes(3.5)
    assert due(schedule) == Due(int(NOON) + 4, 2)
    assert next_seconds(schedule, 2) == [5, 6]


def test_a_wait_that_ends_early_is_waited_on() -> None:
    """No second comes before its time."""
    clock = Clock(late=-0.001)
    assert next_seconds(clock.schedule(), 1) == [10]
    assert len(clock.waits) == 2


def test_a_clock_that_is_set_back_gives_no_second_twice() -> None:
    """The next one waits until the clock is past the last; told once."""
    clock = Clock()
    schedule = clock.schedule(interval=1)
    assert next_seconds(schedule, 3) == [1, 2, 3]
    clock.now -= 100
    assert next_seconds(schedule, 3) == [4, 5, 6]
    assert len(clock.told) == 1
    assert "is 101 s before the next sample, after 2024-06-01T12:00:03Z" in clock.told[0]


def test_a_clock_that_is_set_back_far_goes_on_at_once() -> None:
    """It was wrong before: waiting for it might take years."""
    clock = Clock(NOON + 10 * FAR_SECONDS)
    schedule = clock.schedule(interval=1)
    due(schedule)
    clock.now = NOON
    assert next_seconds(schedule, 2) == [1, 2]
    assert len(clock.told) == 1
    assert "sampling goes on" in clock.told[0]


def test_a_clock_that_is_set_forward_goes_on_and_nothing_was_missed() -> None:
    """No sample was due in the seconds that the clock left out."""
    clock = Clock()
    schedule = clock.schedule(interval=1)
    assert next_seconds(schedule, 2) == [1, 2]
    clock.now += 86_400
    assert next_seconds(schedule, 3) == [86_402, 86_403, 86_404]
    assert clock.told == []


def test_a_start_goes_on_after_the_last_second_of_the_process_before() -> None:
    """Also within the same second, and with another interval."""
    clock = Clock(NOON + 10.2)
    assert next_seconds(clock.schedule(interval=10, last=int(NOON) + 10), 1) == [20]
    assert next_seconds(clock.schedule(interval=1, last=int(NOON) + 27), 1) == [28]
    assert next_seconds(clock.schedule(interval=15, last=int(NOON) + 28), 1) == [30]


def test_it_ends_when_it_is_told_to() -> None:
    """Within a wait."""
    assert Schedule(10, 0, lambda _: True, print).next() is None


@given(
    interval=st.sampled_from([1, 7, 10]),
    steps=st.lists(
        st.tuples(st.floats(0, 40), st.floats(-FAR_SECONDS + 50, FAR_SECONDS)), max_size=30
    ),
)
def test_whatever_the_clock_does_seconds_ascend_and_none_is_made_up(
    interval: int, steps: list[tuple[float, float]]
) -> None:
    """Each is a multiple, has come, and counts what was missed at most as time allows."""
    clock = Clock()
    schedule = clock.schedule(interval)
    last, began, samples, missed, ahead = 0, clock.running, 0, 0, clock.now
    for late, step in steps:
        clock.passes(late)
        # Set by hand or from afar, but never back by more than FAR_SECONDS from where it was.
        clock.now = max(clock.now + step, ahead - FAR_SECONDS + 100)
        found = due(schedule)
        assert found.second % interval == 0
        assert last < found.second <= clock.now
        ahead = max(ahead, clock.now)
        last, samples, missed = found.second, samples + 1, missed + found.missed
    assert samples + missed <= (clock.running - began) / interval + len(steps) + 1
