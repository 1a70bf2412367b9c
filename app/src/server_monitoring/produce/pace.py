"""How fast rows are sent: as they come, at a rate, or as the data's own times say."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from server_monitoring.sources.rows import Row

# Shorter waits are left to add up: a sleep for each row would cost more than the row.
GRAIN_SECONDS = 0.05


@dataclass
class Pace:
    """When a row is due, counted from the first one that is sent.

    Attributes:
        rate: rows a second; None for no limit.
        second_of: the time of a row in seconds, by its text; None where times do not matter.
        after: rows up to this number are not waited for; they were sent before.

    """

    rate: float | None = None
    second_of: Callable[[str], int] | None = None
    after: int = 0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _start: float | None = field(default=None, init=False)
    _first_second: int = field(default=0, init=False)
    _sent: int = field(default=0, init=False)

    def wait(self, row: Row) -> float:
        """Return the seconds until `row` is due: 0 or less where it is, or was, already.

        A row whose time lies before that of rows already sent is due at once.
        """
        if (self.rate is None and self.second_of is None) or row.line <= self.after:
            return 0.0
        if self._start is None:
            self._start = self.clock()
            self._first_second = self.second_of(row.ts) if self.second_of else 0
        due = self._sent / self.rate if self.rate else 0.0
        if self.second_of is not None:
            due = max(due, float(self.second_of(row.ts) - self._first_second))
        self._sent += 1
        return self._start + due - self.clock()


def chunks(rows: Iterable[Row], size: int, pace: Pace) -> Iterator[list[Row]]:
    """Yield rows in lists of up to `size`, each as soon as the row after it is not yet due."""
    chunk: list[Row] = []
    for row in rows:
        wait = pace.wait(row)
        if chunk and (wait >= GRAIN_SECONDS or len(chunk) >= size):
            yield chunk
            chunk = []
        if wait >= GRAIN_SECONDS:
            pace.sleep(wait)
        chunk.append(row)
    if chunk:
        yield chunk
