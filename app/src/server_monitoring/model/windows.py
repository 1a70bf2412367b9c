"""Arithmetic of sliding windows, in whole seconds. Pure: no files, no Spark.

Windows are half-open, `[start, start + window)`, and start at multiples of `slide` since the
epoch of the time form.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext


@dataclass(frozen=True)
class Windows:
    """Windows of `window` seconds that slide by `slide` seconds (slide <= window).

    `first_start` is the first second at which a window may begin: the later of the
    setting `start` and the earliest second of the time form.
    """

    window: int
    slide: int
    first_start: int

    def starts(self, second: int) -> range:
        """Return the starts, ascending, of all windows that hold `second` and may be shown."""
        lowest = max(self.lowest_start(second), self.first_aligned_start())
        return range(lowest, self.highest_start(second) + 1, self.slide)

    def lowest_start(self, second: int) -> int:
        """Return the start of the first window that holds `second`."""
        return -((self.window - 1 - second) // self.slide) * self.slide

    def highest_start(self, second: int) -> int:
        """Return the start of the last window that holds `second`."""
        return second // self.slide * self.slide

    def first_aligned_start(self) -> int:
        """Return the first multiple of `slide` that is not before `first_start`."""
        return -(-self.first_start // self.slide) * self.slide


def rounded_average(total: Decimal, count: int) -> Decimal:
    """Return total / count rounded once, half up (ties away from zero), to 2 places.

    The specification of the averages in an alert table, which the analysis computes in Spark.
    In whole numbers throughout: `floor((200 |total| + count) / (2 count))` hundredths.
    """
    with localcontext() as context:
        context.prec = 100
        doubled = int((abs(total) * 200).to_integral_value(rounding="ROUND_FLOOR"))
        hundredths = (doubled + count) // (2 * count)
        signed = -hundredths if total < 0 else hundredths
        return (Decimal(signed) / 100).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
