"""What becomes of a window's values: their exact average or maximum, in whole numbers.

A value is carried as its whole part and its fraction in units of 10^-18, both with its sign:
sums and comparisons of whole numbers are exact, and many times as fast as Spark's decimals.
Columns end in the number of their metric: whole_0, whole_1.

A wide value (see `model.values`) does not fit into these: it is carried as its text, beside a
whole part and a fraction of 0, by the aggregates that only data with such values need.
"""

import math
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark program uses

from server_monitoring.analysis import wide
from server_monitoring.model import groups
from server_monitoring.model.values import POSITIONAL_PATTERN
from server_monitoring.store.lines import VALUE_PATTERN

_DIGITS = 18
_UNITS = 10**_DIGITS
_HALF_UNITS = 10**9  # a fraction is summed in two halves of 9 digits, which cannot overflow
_LARGEST = 2**63 - 1
Columns = dict[str, Column]


class Aggregate(Protocol):
    """One way to make one number of a window's values.

    Attributes:
        values: pattern of the texts of values that it takes.

    """

    values: str

    def carried(self, text: Column) -> Columns:
        """Return the columns, by name without number, that carry a value to its window."""

    def totals(self, metric: int) -> Columns:
        """Return the aggregates over a window's carried columns, by name; null without values."""

    def result(self, metric: int) -> Columns:
        """Return the result's columns, by name, made of the totals; null without values."""

    def above(self, metric: int, threshold: Decimal) -> Column:
        """Return whether the result is strictly above a threshold."""

    def text(self, metric: int) -> Column:
        """Return the result as it stands in the table."""


class Average:
    """The average, rounded once, half up (ties away from zero), to hundredths."""

    values = POSITIONAL_PATTERN

    def carried(self, text: Column) -> Columns:
        """Return whole and fraction."""
        return {"whole": _whole(text), "fraction": _fraction(text)}

    def totals(self, metric: int) -> Columns:
        """Return count and sums: whole parts, and both halves of the fractions."""
        fraction = F.col(f"fraction_{metric}")
        return {
            f"count_{metric}": F.count(fraction),
            f"whole_{metric}": F.sum(f"whole_{metric}"),
            f"high_{metric}": F.sum(_div(fraction, _HALF_UNITS)),
            f"low_{metric}": F.sum(fraction % _HALF_UNITS),
        }

    def result(self, metric: int) -> Columns:
        """Return hundredths: as `windows.rounded_average`, of any sums that can occur."""
        names = ("whole", "high", "low", "count")
        whole, high, low, count = (F.col(f"{name}_{metric}") for name in names)
        # Carry, so that whole + high / 10^9 + low / 10^18 has only whole below zero.
        high = high + _floor_div(low, _HALF_UNITS)
        low = F.pmod(low, F.lit(_HALF_UNITS))
        whole = whole + _floor_div(high, _HALF_UNITS)
        high = F.pmod(high, F.lit(_HALF_UNITS))
        # 200 times the fraction is doubled, and a rest below 1.
        doubled = high * 200 + _div(low * 200, _HALF_UNITS)
        rest = (doubled % _HALF_UNITS > 0) | ((low * 200) % _HALF_UNITS > 0)
        doubled = _div(doubled, _HALF_UNITS)
        # The average is quotient + (remainder + fraction) / count.
        count = F.greatest(count, F.lit(1).cast("bigint"))
        quotient, remainder = _floor_div(whole, count), F.pmod(whole, count)
        half_up = _div(remainder * 200 + doubled + count, count * 2)
        # Below zero it is rounded down at a tie: ceil(x - 1/2).
        half_down = _div(remainder * 200 + doubled + rest.cast("bigint") + count - 1, count * 2)
        return {
            f"hundredths_{metric}": quotient * 100
            + F.when(quotient < 0, half_down).otherwise(half_up)
        }

    def above(self, metric: int, threshold: Decimal) -> Column:
        """Return whether the rounded average is above."""
        return F.col(f"hundredths_{metric}") > F.lit(
            _clamped(math.floor(Fraction(threshold) * 100))
        )

    def text(self, metric: int) -> Column:
        """Return it with two places."""
        hundredths = F.col(f"hundredths_{metric}")
        size = F.abs(hundredths)
        places = F.substring((size % 100 + 100).cast("string"), 2, 2)
        return F.concat(_minus(hundredths < 0), _div(size, 100).cast("string"), F.lit("."), places)


class Maximum:
    """The largest value."""

    values = POSITIONAL_PATTERN

    def carried(self, text: Column) -> Columns:
        """Return whole and fraction, and the double that the value's text is the shortest of.

        Doubles are ordered as their shortest texts are, and compared at once.
        """
        return {"whole": _whole(text), "fraction": _fraction(text), "double": text.cast("double")}

    def totals(self, metric: int) -> Columns:
        """Return whole and fraction of the largest."""
        return {
            f"{name}_{metric}": F.max_by(f"{name}_{metric}", f"double_{metric}")
            for name in ("whole", "fraction")
        }

    def result(self, metric: int) -> Columns:
        """Return them as they are."""
        return {f"{name}_{metric}": F.col(f"{name}_{metric}") for name in ("whole", "fraction")}

    def above(self, metric: int, threshold: Decimal) -> Column:
        """Return whether it is above in all its digits."""
        whole, fraction = F.col(f"whole_{metric}"), F.col(f"fraction_{metric}")
        units = math.floor(Fraction(threshold) * _UNITS)
        size = divmod(abs(units), _UNITS)
        limit, rest = (_clamped(-part if units < 0 else part) for part in size)
        return (whole > F.lit(limit)) | ((whole == F.lit(limit)) & (fraction > F.lit(rest)))

    def text(self, metric: int) -> Column:
        """Return its shortest form, with at least one digit after the point."""
        whole, fraction = F.col(f"whole_{metric}"), F.col(f"fraction_{metric}")
        digits = F.substring((F.abs(fraction) + _UNITS).cast("string"), 2, _DIGITS)
        shortest = F.when(fraction == 0, F.lit("0")).otherwise(F.rtrim(digits, F.lit("0")))
        minus = _minus((whole < 0) | (fraction < 0))
        return F.concat(minus, F.abs(whole).cast("string"), F.lit("."), shortest)


class WideAverage(Average):
    """The same average of values that may be wide: in digits where a window has such a one."""

    values = VALUE_PATTERN

    def carried(self, text: Column) -> Columns:
        """Return whole and fraction, or the text."""
        return _carried(text, super().carried(text))

    def totals(self, metric: int) -> Columns:
        """Return those of the others, and the texts."""
        texts = F.collect_list(f"wide_{metric}")
        return {**super().totals(metric), f"wide_{metric}": texts}

    def result(self, metric: int) -> Columns:
        """Return hundredths, of windows with wide values as text."""
        names = ("wide", "whole", "high", "low", "count")
        texts, whole, high, low, count = (F.col(f"{name}_{metric}") for name in names)
        others = ((whole, 0), (high, -_DIGITS // 2), (low, -_DIGITS))
        exact = F.when(F.size(texts) > 0, wide.hundredths(texts, others, count))
        return {**super().result(metric), f"exact_{metric}": exact}

    def above(self, metric: int, threshold: Decimal) -> Column:
        """Return whether the rounded average is above."""
        exact = F.col(f"exact_{metric}")
        above = wide.is_above(exact, math.floor(Fraction(threshold) * 100))
        return F.when(exact.isNotNull(), above).otherwise(super().above(metric, threshold))

    def text(self, metric: int) -> Column:
        """Return it with two places, in positional notation."""
        exact = F.col(f"exact_{metric}")
        text = super().text(metric)
        return F.when(exact.isNotNull(), wide.two_places(exact)).otherwise(text)


class WideMaximum(Maximum):
    """The largest of values that may be wide."""

    values = VALUE_PATTERN

    def carried(self, text: Column) -> Columns:
        """Return whole and fraction, or the text; and the double."""
        return _carried(text, super().carried(text)) | {"double": text.cast("double")}

    def totals(self, metric: int) -> Columns:
        """Return all of the largest."""
        text, double = f"wide_{metric}", f"double_{metric}"
        return {**super().totals(metric), text: F.max_by(text, double), double: F.max(double)}

    def result(self, metric: int) -> Columns:
        """Return them as they are."""
        own = {f"{name}_{metric}": F.col(f"{name}_{metric}") for name in ("wide", "double")}
        return {**super().result(metric), **own}

    def above(self, metric: int, threshold: Decimal) -> Column:
        """Return whether it is above: a threshold too is the shortest text of a double."""
        return F.col(f"double_{metric}") > F.lit(float(threshold))

    def text(self, metric: int) -> Column:
        """Return its shortest form."""
        text = F.col(f"wide_{metric}")
        return F.when(text.isNotNull(), wide.shortest(text)).otherwise(super().text(metric))


AGGREGATES: dict[str, Aggregate] = {groups.AVERAGE: Average(), groups.MAXIMUM: Maximum()}
WIDE_AGGREGATES: dict[str, Aggregate] = {
    groups.AVERAGE: WideAverage(),
    groups.MAXIMUM: WideMaximum(),
}


def _carried(text: Column, columns: Columns) -> Columns:
    """Return columns that are 0 for a wide value, whose text is carried as `wide`."""
    is_wide = F.contains(text, F.lit("E"))
    others = {name: F.when(is_wide, 0).otherwise(column) for name, column in columns.items()}
    return {**others, "wide": F.when(is_wide, text)}


def _whole(text: Column) -> Column:
    return F.substring_index(text, ".", 1).cast("bigint")


def _fraction(text: Column) -> Column:
    size = F.rpad(F.substring_index(text, ".", -1), _DIGITS, "0").cast("bigint")
    return F.when(F.startswith(text, F.lit("-")), -size).otherwise(size)


def _div(dividend: Column, divisor: Column | int) -> Column:
    """Divide whole numbers, towards zero."""
    return F.call_function(
        "div", dividend, divisor if isinstance(divisor, Column) else F.lit(divisor)
    )


def _floor_div(dividend: Column, divisor: Column | int) -> Column:
    by = divisor if isinstance(divisor, Column) else F.lit(divisor)
    return _div(dividend - F.pmod(dividend, by), by)


def _minus(negative: Column) -> Column:
    return F.when(negative, F.lit("-")).otherwise(F.lit(""))


def _clamped(number: int) -> int:
    return max(-_LARGEST, min(_LARGEST, number))
