"""Exact averages and maxima in whole numbers: what an alert table says, one window at a time.

A value is carried in units of 10^-18: a whole number, or a fraction where it is wide (see
`values`) and smaller than that. Sums and comparisons of both are exact, of whole numbers fast.
The analysis computes the same numbers in Spark.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from server_monitoring.model.groups import AVERAGE, MAXIMUM
from server_monitoring.model.values import MAX_FRACTION_DIGITS, decimal_text, is_wide, wide_text

UNITS = 10**MAX_FRACTION_DIGITS
Exact = int | Fraction
# Python's own `repr` of a double has an exponent from here on, and below 0.0001.
_POSITIONAL = 10**16


def exact(text: str) -> Exact:
    """Return the value of a canonical text, in units of 10^-18."""
    if is_wide(text):
        number = Fraction(text) * UNITS
        return int(number) if number.denominator == 1 else number
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(MAX_FRACTION_DIGITS, "0"))


def hundredths(total: Exact, count: int) -> int:
    """Return total / count, rounded once, half up (ties away from zero), to hundredths."""
    size: Exact = -total if total < 0 else total
    rounded = int((200 * size + UNITS * count) // (2 * UNITS * count))
    return -rounded if total < 0 else rounded


def two_places(number: Exact) -> str:
    """Return hundredths as text with two places after its point."""
    whole, rest = divmod(abs(int(number)), 100)
    return f"{'-' if number < 0 else ''}{whole}.{rest:02d}"


def shortest(value: Exact) -> str:
    """Return a value's shortest text: as Python's `repr`, but positional where it is not wide."""
    if isinstance(value, int) and abs(value) < _POSITIONAL * UNITS:
        whole, rest = divmod(abs(value), UNITS)
        digits = f"{rest:0{MAX_FRACTION_DIGITS}d}".rstrip("0") or "0"
        return f"{'-' if value < 0 else ''}{whole}.{digits}"
    number = float(Fraction(value, UNITS))
    small = abs(number) < 1
    return decimal_text(number) if small and "e" not in repr(number) else wide_text(number)


@dataclass(frozen=True)
class Measure:
    """What becomes of a window's values: a number that only this measure understands.

    Attributes:
        of: the number, of at least one value.
        text: as it stands in the table.
        read: the number of such a text.
        limit: the number that stands for a threshold: one strictly above it is abnormal.

    """

    of: Callable[[Sequence[Exact]], Exact]
    text: Callable[[Exact], str]
    read: Callable[[str], Exact]
    limit: Callable[[Decimal], Exact]


def _average(values: Sequence[Exact]) -> Exact:
    total: Exact = sum(values)
    return hundredths(total, len(values))


def _read_two_places(text: str) -> Exact:
    return int(text.replace(".", ""))


def _floor_of_hundredths(threshold: Decimal) -> Exact:
    return math.floor(Fraction(threshold) * 100)


def _in_units(threshold: Decimal) -> Exact:
    units: Exact = Fraction(threshold) * UNITS
    return units


def _largest(values: Sequence[Exact]) -> Exact:
    largest: Exact = max(values)
    return largest


MEASURES = {
    AVERAGE: Measure(_average, two_places, _read_two_places, _floor_of_hundredths),
    MAXIMUM: Measure(_largest, shortest, exact, _in_units),
}
