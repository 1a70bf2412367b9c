"""Ratios, bars, page and plot, from figures that are made up."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench.measurement import Measurement
from tests.bench.plot import draw, shares
from tests.bench.report import BenchError, meets, number, page, ratio, updated

BASE = Measurement("loop", "messages/s", 200.0, None, None, at_most=False)
SHARE = Measurement("app", "messages/s", 130.0, "loop", 0.65, at_most=False)
MEMORY = Measurement("memory", "MiB", 250.0, None, 200.0, at_most=True)
FIGURES = [BASE, SHARE, MEMORY]
BY_NAME = {figure.name: figure for figure in FIGURES}


@pytest.mark.parametrize(
    ("figure", "share", "verdict"), [(BASE, None, None), (SHARE, 0.65, True), (MEMORY, None, False)]
)
def test_a_bar_is_for_the_ratio_where_there_is_a_base(
    figure: Measurement, *, share: float | None, verdict: bool | None
) -> None:
    """Else for the figure itself; exactly the bar is enough."""
    assert ratio(figure, BY_NAME) == share
    assert meets(figure, BY_NAME) is verdict


@pytest.mark.parametrize(
    ("value", "at_most", "verdict"),
    [(2.0, True, True), (2.1, True, False), (2.0, False, True), (1.9, False, False)],
)
def test_a_bar_is_the_most_or_the_least(value: float, *, at_most: bool, verdict: bool) -> None:
    """As the figure says."""
    figure = Measurement("x", "s", value, None, 2.0, at_most)
    assert meets(figure, {"x": figure}) is verdict


def test_a_base_that_was_not_measured_is_an_error() -> None:
    """The figure and its base are named."""
    with pytest.raises(BenchError, match="app: its base 'loop' was not measured"):
        page([SHARE], {}, "p.svg")


def test_a_name_that_stands_twice_is_an_error() -> None:
    """Ratios could mean either."""
    with pytest.raises(BenchError, match="loop: measured twice"):
        page([BASE, SHARE, BASE], {}, "p.svg")


def test_a_base_of_nothing_makes_no_ratio() -> None:
    """And no division by zero."""
    none = Measurement("loop", "messages/s", 0.0, None, None, at_most=False)
    assert ratio(SHARE, {"loop": none, "app": SHARE}) == 0.0


def test_the_page_says_bars_first_in_words_then_everything_then_the_machine() -> None:
    """Each bar with what it is compared with."""
    text = page(FIGURES, {"cores": "2"}, "p.svg")
    assert "| app | 0.65 | loop | at least 0.65 | met |" in text
    assert "| memory | 250 MiB |  | at most 200 MiB | **not met** |" in text
    assert "| app | 130 | messages/s | 0.65 of loop |" in text
    assert "| cores | 2 |" in text
    places = [text.index(part) for part in ("## Bars", "p.svg", "## All figures", "## The machine")]
    assert places == sorted(places)


def test_a_part_that_is_measured_again_changes_its_own_rows_only() -> None:
    """New ones stand behind those of their part, and the machine's table has the part's date."""
    old = page(FIGURES, {"date": "then", "cores": "2"}, "p.svg")
    slower = replace(BASE, value=400.0)
    other = replace(SHARE, name="other", value=100.0, bar=None)
    found = updated(old, page([slower, other], {}, "p.svg"), {"loops": "now"})
    rows = ["| loop | 400 | messages/s |  |", "| other | 100 | messages/s | 0.25 of loop |"]
    kept = page(FIGURES, {"date": "then", "cores": "2", "date of loops": "now"}, "p.svg")
    assert found == kept.replace("| loop | 200 | messages/s |  |", "\n".join(rows))


def test_a_page_without_bars_says_so() -> None:
    """As when one part alone was measured."""
    assert "None was measured." in page([BASE], {}, "p.svg")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1234, "0.123"), (12.345, "12.3"), (99.6, "99.6"), (123.4, "123"), (1234567.8, "1,234,568")],
)
def test_figures_have_three_digits_or_no_fraction(value: float, text: str) -> None:
    """No more than was measured."""
    assert number(value) == text


def test_the_plot_shows_each_bar_and_which_side_of_it_a_figure_is() -> None:
    """Above 1 is met, whichever way the bar goes; figures without one are left out."""
    assert shares(page(FIGURES, {}, "p.svg")) == [("app", 1.0, True), ("memory", 0.8, False)]


def test_the_same_figures_give_the_same_picture(tmp_path: Path) -> None:
    """With the names as text in it, and no date."""
    for name in ("a.svg", "b.svg"):
        draw(page(FIGURES, {}, "p.svg"), tmp_path / name)
    picture = (tmp_path / "a.svg").read_bytes()
    assert picture == (tmp_path / "b.svg").read_bytes()
    assert b">memory<" in picture
    assert b"<dc:date>" not in picture
