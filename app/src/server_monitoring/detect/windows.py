"""The open windows of one server, and when they close.

Each metric has a watermark of its own: its newest second + 1 - lateness. A row is late once the
watermark of its own metric has passed the end of a window that would hold it. A window closes
when the watermarks of both have passed its end. So what a window holds depends on the order of
the rows in each partition alone, not on how the two topics interleave, and a detector that reads
the same rows again finds the same windows.
"""

from typing import NamedTuple

from server_monitoring.detect.rules import Rules
from server_monitoring.model.exact import Exact

LATE, DUPLICATE = "late", "duplicate"
METRICS = (0, 1)
_NEVER = -(10**18)


class Window(NamedTuple):
    """A closed window in which both metrics have a value: its start, and a number of each."""

    start: int
    numbers: tuple[Exact, Exact]


class Kept(NamedTuple):
    """A row that an open window needs: its value, and its offset in the metric's topic."""

    value: Exact
    offset: int


class OpenWindows:
    """The rows of a server that some open window needs.

    Attributes:
        closed_to: all windows that end at or before this second are closed; None if none is.
        first_start: no window that starts earlier is open; None before the first is closed.

    """

    __slots__ = ("_newest", "_passed", "_rows", "_rules", "closed_to", "first_start")

    def __init__(
        self, rules: Rules, closed_to: int | None = None, first_start: int | None = None
    ) -> None:
        """Begin where an earlier detector was; with other windows now, at their next start."""
        self._rules = rules
        self._rows: tuple[dict[int, Kept], dict[int, Kept]] = ({}, {})
        self._newest = [_NEVER, _NEVER]
        self._passed = [_NEVER, _NEVER]
        self.closed_to = closed_to
        self.first_start = first_start
        if closed_to is not None and first_start is not None:
            slide = rules.windows.slide
            kept_from = -(-first_start // slide) * slide
            self.first_start = max(kept_from, rules.windows.lowest_start(closed_to))

    def add(self, metric: int, second: int, value: Exact, offset: int) -> str | None:
        """Take a row; return why not, else None."""
        rows = self._rows[metric]
        if second in rows:
            return DUPLICATE
        if second < self._passed[metric] or (
            self.first_start is not None and second < self.first_start
        ):
            return LATE
        rows[second] = Kept(value, offset)
        if second > self._newest[metric]:
            self._newest[metric] = second
            watermark = second + 1 - self._rules.live.lateness_seconds
            self._passed[metric] = max(self._passed[metric], self._rules.closed_end(watermark))
        return None

    def close(self) -> list[Window]:
        """Close the windows that both watermarks have passed; return those of both metrics."""
        end = min(self._passed)
        if end == _NEVER or (self.closed_to is not None and end <= self.closed_to):
            return []
        return self._close_to(end)

    def expire(self, second: int) -> list[Window]:
        """Close the windows that end at or before `second`, as no row of theirs is taken now."""
        end = self._rules.closed_end(second)
        self._passed = [max(end, passed) for passed in self._passed]
        return self.close()

    def first_end(self) -> int | None:
        """Return the end of the first open window that holds a row; None if none does."""
        oldest = [next(iter(rows)) for rows in self._rows if rows]
        if not oldest:
            return None
        start = self._rules.windows.lowest_start(min(oldest))
        if self.first_start is not None:
            start = max(start, self.first_start)
        return start + self._rules.windows.window

    def needed(self, metric: int) -> int | None:
        """Return the offset of the oldest row that an open window needs; None if none does."""
        for kept in self._rows[metric].values():  # in the order of their offsets
            return kept.offset
        return None

    def newest(self) -> int | None:
        """Return the newest second of either metric that was taken; None if there is none."""
        newest = max(self._newest)
        return None if newest == _NEVER else newest

    def _close_to(self, end: int) -> list[Window]:
        windows, last = self._rules.windows, end - self._rules.windows.window
        closed: list[Window] = []
        start = self._next_start(self.first_start)
        while start is not None and start <= last:
            found = self._numbers(start)
            if found is not None:
                closed.append(Window(start, found))
            start = self._next_start(start + windows.slide)
        self.closed_to, self.first_start = end, last + windows.slide
        self._rows = tuple(  # type: ignore[assignment] # two, as before
            {second: kept for second, kept in rows.items() if second >= self.first_start}
            for rows in self._rows
        )
        return closed

    def _next_start(self, start: int | None) -> int | None:
        """Return the first start, from `start` on, of a window that holds a row."""
        windows = self._rules.windows
        if start is not None and any(
            second in rows for rows in self._rows for second in range(start, start + windows.slide)
        ):
            return start
        rest = [s for rows in self._rows for s in rows if start is None or s >= start]
        if not rest:
            return None
        lowest = windows.lowest_start(min(rest))
        return lowest if start is None else max(start, lowest)

    def _numbers(self, start: int) -> tuple[Exact, Exact] | None:
        """Return a window's numbers; None if a metric has no value in it."""
        first, second = self._rows
        within: range | list[int] = range(start, start + self._rules.windows.window)
        if self._rules.rows_meet:
            within = [at for at in within if at in first and at in second]
        values = [[rows[at].value for at in within if at in rows] for rows in (first, second)]
        if not values[0] or not values[1]:
            return None
        of = self._rules.measure.of
        return of(values[0]), of(values[1])
