"""Arithmetic of sliding windows, in whole seconds. Pure: no files, no Spark.

Windows are half-open, `[start, start + window)`, and start at multiples of `slide` since the
epoch of the time form.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from server_monitoring.model.exact import UNITS, hundredths, two_places


@dataclass(frozen=True)
class Windows:
    """Windows of `window` seconds that slide by `slide` seconds (slide <= window).

    No window begins before `earliest`, of the time form, or at `end` or later; those that begin
    before `first_start`, the setting `start`, are left out. None is no limit.
    """

    window: int
    slide: int
    first_start: int | None
    earliest: int | None = None
    end: int | None = None

    def starts(self, second: int) -> range:
        """Return the starts, ascending, of all windows that hold `second` and may be shown."""
        limits = (self.first_aligned_start(), self.earliest_aligned_start())
        lowest = max([self.lowest_start(second), *(at for at in limits if at is not None)])
        last = self.last_start()
        highest = self.highest_start(second)
        return range(lowest, (highest if last is None else min(highest, last)) + 1, self.slide)

    def lowest_start(self, second: int) -> int:
        """Return the start of the first window that holds `second`."""
        return -((self.window - 1 - second) // self.slide) * self.slide

    def highest_start(self, second: int) -> int:
        """Return the start of the last window that holds `second`."""
        return second // self.slide * self.slide

    def last_start(self) -> int | None:
        """Return the last multiple of `slide` that is before `end`."""
        return None if self.end is None else (self.end - 1) // self.slide * self.slide

    def first_aligned_start(self) -> int | None:
        """Return the first multiple of `slide` that is not before `first_start`."""
        return self._aligned(self.first_start)

    def earliest_aligned_start(self) -> int | None:
        """Return the first multiple of `slide` that is not before `earliest`."""
        return self._aligned(self.earliest)

    def _aligned(self, second: int | None) -> int | None:
        return None if second is None else -(-second // self.slide) * self.slide


def rounded_average(total: Decimal, count: int) -> Decimal:
    """Return total / count rounded once, half up (ties away from zero), to 2 places.

    The specification of the averages in an alert table, which the analysis computes in Spark.
    In whole numbers throughout, see `exact`.
    """
    return Decimal(two_places(hundredths(Fraction(total) * UNITS, count)))
