"""Averages and maxima of values of any size, as the alert table has them."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from server_monitoring.model.exact import MEASURES, UNITS, exact, hundredths
from server_monitoring.model.groups import AVERAGE, MAXIMUM
from server_monitoring.model.values import canonical_double

DOUBLES = st.floats(allow_nan=False, allow_infinity=False)


@given(DOUBLES)
def test_a_value_of_any_size_is_exact(number: float) -> None:
    """As its canonical text says."""
    text = canonical_double(number)
    assert Fraction(exact(text)) == Fraction(Decimal(text)) * UNITS


@given(DOUBLES)
def test_a_maximum_is_written_as_python_writes_it(number: float) -> None:
    """With a capital E; or in positional notation, where a canonical text is."""
    text = canonical_double(number)
    written = MEASURES[MAXIMUM].text(exact(text))
    assert Fraction(Decimal(written)) == Fraction(Decimal(text))
    plain = "e" not in repr(number)
    assert ("E" not in written) == (plain or "E" not in text)
    assert MEASURES[MAXIMUM].read(written) == exact(text)


@given(st.lists(DOUBLES, min_size=1, max_size=5))
def test_an_average_is_rounded_once_half_up(numbers: list[float]) -> None:
    """By fractions."""
    values = [exact(canonical_double(number)) for number in numbers]
    mean = sum((Fraction(canonical_double(n)) for n in numbers), Fraction(0)) / len(numbers)
    size = (abs(mean) * 100 + Fraction(1, 2)).__floor__()
    average = MEASURES[AVERAGE].of(values)
    assert average == (-size if mean < 0 else size)
    text = MEASURES[AVERAGE].text(average)
    assert Fraction(text) * 100 == average
    assert (text[-3], text.startswith("-")) == (".", average < 0)
    assert MEASURES[AVERAGE].read(text) == average


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1.2345678901234567E-4", "0.00012345678901234567"),
        ("1.22488121344E+12", "1224881213440.0"),
        ("9E+15", "9000000000000000.0"),
        ("1E+16", "1E+16"),
        ("1.2345678901234568E-5", "1.2345678901234568E-5"),
        ("0.00001", "0.00001"),
        ("-0.5", "-0.5"),
    ],
)
def test_the_texts_of_maxima_are_those_of_the_analysis(text: str, written: str) -> None:
    """Of sizes around those at which they change."""
    assert MEASURES[MAXIMUM].text(exact(text)) == written


def test_a_tie_goes_away_from_zero_and_a_threshold_is_not_above_itself() -> None:
    """On both sides of zero."""
    assert hundredths(exact("0.015"), 1) == 2
    assert hundredths(exact("-0.015"), 1) == -2
    for measure, value in ((AVERAGE, 82.1), (MAXIMUM, 82.1)):
        limit = MEASURES[measure].limit(Decimal("82.1"))
        assert not MEASURES[measure].of([exact(str(value))]) > limit
        assert MEASURES[measure].of([exact("82.11")]) > limit
