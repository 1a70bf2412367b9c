"""Sliding windows, exact averages and time stamps."""

import random
from decimal import Decimal
from fractions import Fraction

import pytest
from server_monitoring.model.windows import Windows, rounded_average

from tests.support.reference_tables import half_up


@pytest.mark.parametrize(
    ("window", "slide", "first"),
    [(30, 10, 0), (30, 7, 0), (10, 10, 0), (30, 10, 75_120), (25, 10, 3)],
)
def test_starts_are_exactly_the_windows_that_hold_the_second(
    window: int, slide: int, first: int
) -> None:
    """Against trying every multiple of the slide."""
    windows = Windows(window, slide, first)
    for second in [*range(120), *range(75_080, 75_160), 86_399]:
        held = [
            start
            for start in range(0, 86_400, slide)
            if start <= second < start + window and start >= first
        ]
        assert list(windows.starts(second)) == held


def test_without_a_first_start_only_the_earliest_of_the_form_is_a_limit() -> None:
    """Times of day begin at midnight, dates nowhere."""
    assert list(Windows(30, 10, None, 0).starts(5)) == [0]
    assert list(Windows(30, 10, None).starts(5)) == [-20, -10, 0]
    assert list(Windows(30, 10, 11, 0).starts(25)) == [20]


def test_an_average_is_rounded_once_even_where_two_roundings_differ() -> None:
    """0.00499... would first become 0.005 at a coarser scale and then 0.01."""
    assert rounded_average(Decimal("0.014999999999999997"), 3) == Decimal("0.00")
    assert rounded_average(Decimal("0.015"), 3) == Decimal("0.01")


def test_averages_equal_fractions_for_random_totals_ties_and_negative_ones() -> None:
    """Against exact fractions, half of the cases on or next to a tie."""
    rng = random.Random(47)
    for _ in range(20_000):
        count = rng.choice([1, 2, 3, 7, 360])
        unscaled = rng.randrange(-(10**32), 10**32)
        if rng.random() < 0.5:
            unscaled = (2 * rng.randrange(-(10**6), 10**6) + 1) * count * 5 * 10**15
            unscaled += rng.choice([-1, 0, 1])
        total = Decimal(unscaled).scaleb(-18)
        exact = half_up(Fraction(unscaled, 10**18 * count))
        assert Fraction(rounded_average(total, count)) == exact
        assert str(rounded_average(total, count))[-3] == "."
