"""Windows become incidents: merged where they overlap or touch, with their peaks."""

from decimal import Decimal
from fractions import Fraction

import pytest
from server_monitoring.model.incidents import (
    AlertWindow,
    Incident,
    Limit,
    Merger,
    Peak,
    covered_seconds,
    level,
    severity,
)

from tests.unit.app.app_incidents import FULL, HOT, merged


def spans(incidents: list[Incident]) -> list[tuple[str, int, int, int]]:
    """Return label, start, end and number of windows of each."""
    return [(i.label, i.start, i.end, i.windows) for i in incidents]


def test_windows_that_overlap_or_touch_are_one_incident() -> None:
    """From the first start to the last end; a gap of one second ends it."""
    found = merged((0, HOT, "81", "0"), (10, HOT, "81", "0"), (40, HOT, "81", "0"))
    assert spans(found) == [(HOT, 0, 70, 3)]
    assert found[0].seconds == 70
    apart = merged((0, HOT, "81", "0"), (31, HOT, "81", "0"))
    assert spans(apart) == [(HOT, 0, 30, 1), (HOT, 31, 61, 1)]


def test_each_label_has_incidents_of_its_own() -> None:
    """Two labels in turn are two incidents that overlap."""
    rows = [(0, HOT, "81", "0"), (10, FULL, "0", "51"), (20, HOT, "81", "0"), (30, FULL, "0", "51")]
    assert spans(merged(*rows)) == [(HOT, 0, 50, 2), (FULL, 10, 60, 2)]


def test_the_peak_is_the_value_furthest_above_in_proportion() -> None:
    """Of both metrics, each with its first highest window, as the table writes it."""
    [found] = merged(
        (0, HOT, "90.10", "60.5"), (10, HOT, "99.00", "60.5"), (20, HOT, "99.00", "60")
    )
    assert [(p.column, p.value, p.at) for p in found.peaks] == [
        ("avg_cpu", "99.00", 10),
        ("avg_mem", "60.5", 0),
    ]
    assert (found.worst.above, found.worst.percent) == (Decimal("19.00"), 23.8)
    [other] = merged((0, HOT, "81", "75"))
    assert (other.worst.column, other.worst.percent) == ("avg_mem", 50.0)


def test_a_label_on_values_that_are_not_above_is_refused() -> None:
    """A value equal to its threshold is not above it, so the thresholds are another run's."""
    with pytest.raises(ValueError, match=HOT):
        merged((0, HOT, "80", "50"))


def test_values_of_any_size_are_compared_and_told_exactly() -> None:
    """Also where two numbers are one double, or a proportion is none."""
    limit = Limit("avg_cpu", "cpu_pct", Decimal("1000000000000000.1"))
    merger = Merger("a", "g", (limit,), 30)
    text = "1000000000000000.11"
    merger.add(AlertWindow(0, HOT, (float(text),), (text,)))
    [found] = merger.close()
    assert found.worst.above == Decimal("0.01")
    huge = Peak("max", "1.7976931348623157E+308", 0, Decimal("5E-324"))
    assert Fraction(huge.above) == Fraction(Decimal(huge.value)) - Fraction(huge.threshold)
    assert huge.percent is None


def test_a_threshold_of_zero_has_no_percent_and_sorts_as_the_worst() -> None:
    """Any value is infinitely far above 0 in proportion."""
    merger = Merger("a", "g", (Limit("x", "x", Decimal(0)),), 30)
    merger.add(AlertWindow(0, HOT, (0.5,), ("0.5",)))
    [found] = merger.close()
    assert (found.worst.percent, found.worst.above) == (None, Decimal("0.5"))
    [other] = merged((0, HOT, "800", "0"))
    assert sorted([other, found], key=severity) == [found, other]


def test_a_negative_threshold_has_a_positive_distance() -> None:
    """-5 is half of 10 above -10."""
    merger = Merger("a", "g", (Limit("x", "x", Decimal(-10)),), 30)
    merger.add(AlertWindow(0, HOT, (-5.0,), ("-5",)))
    assert merger.close()[0].worst.percent == 50.0


def test_time_in_alert_counts_each_second_once() -> None:
    """Whatever overlaps; gaps do not count."""
    found = merged((0, HOT, "81", "0"), (10, FULL, "0", "51"), (100, HOT, "81", "0"))
    assert covered_seconds(found) == 40 + 30
    assert covered_seconds([]) == 0


@pytest.mark.parametrize(
    ("ratio", "expected"), [(0.001, 1), (0.1, 2), (0.249, 2), (0.25, 3), (0.5, 4), (9.0, 4)]
)
def test_levels_begin_at_their_bounds(ratio: float, expected: int) -> None:
    """Four of them."""
    assert level(ratio) == expected
