"""When to sample: at whole multiples of the interval, by the clock on the wall."""

import time
from collections.abc import Callable
from typing import NamedTuple

from server_monitoring.agent.row import utc_text

FAR_SECONDS = 3600
"""A clock that was set back by more was wrong before: nobody waits until it is there again."""
_LONGEST_WAIT = 10.0


class Due(NamedTuple):
    """A second to sample, and how many before it passed without a sample."""

    second: int
    missed: int


class Schedule:
    """The seconds of one agent.

    Guarantee: they ascend, each a multiple of the interval, none before it has come. Where a clock
    is set back they wait until it has passed the last one; only where it is set back by more than
    FAR_SECONDS do they go on at once, and may come again. Where it is set forward, or this process
    wakes late, the last second that has passed comes at once; others that passed while this
    process ran are counted as missed.
    """

    def __init__(
        self,
        interval: int,
        last: int,
        wait: Callable[[float], bool],
        tell: Callable[[str], object],
        *,
        clock: Callable[[], float] = time.time,
        running: Callable[[], float] = time.monotonic,
    ) -> None:
        """Go on after the second `last`, 0 for none.

        Args:
            interval: in seconds.
            last: that was sampled before.
            wait: waits so many seconds, or less, and says whether to stop.
            tell: told of a clock that was set back.
            clock: seconds since the epoch.
            running: seconds that no clock's setting changes.

        """
        self._interval = interval
        self._wait = wait
        self._tell = tell
        self._clock = clock
        self._running = running
        self._told = False
        now = clock()
        # When the second before the next one was, or would have been.
        self._since = running() - now % interval
        self._next = self._after(max(now, last))

    def _after(self, second: float) -> int:
        return int(second // self._interval + 1) * self._interval

    def next(self) -> Due | None:
        """Wait for the next second; None if it is time to stop."""
        while (now := self._clock()) < self._next:
            if self._next - now > self._interval:
                self._set_back(now)
            if self._wait(min(self._next - now, _LONGEST_WAIT)):
                return None
        second = int(now // self._interval) * self._interval
        since = self._running() - (now - second)
        ran = round((since - self._since) / self._interval) - 1
        missed = max(0, min((second - self._next) // self._interval, ran))
        self._since = since
        self._next = second + self._interval
        self._told = False
        return Due(second, missed)

    def _set_back(self, now: float) -> None:
        """Say once that the clock was set back, and go on at once if that was far."""
        last = utc_text(self._next - self._interval)
        behind = f"the clock is {self._next - now:.0f} s before the next sample, after {last}"
        if self._next - now > FAR_SECONDS:
            self._tell(f"{behind}; that was set back too far to wait for, so sampling goes on")
            self._next = self._after(now)
        elif not self._told:
            self._tell(f"{behind}; it was set back, and no second is sampled twice: waiting")
            self._told = True
