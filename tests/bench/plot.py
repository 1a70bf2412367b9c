"""Each figure that has a bar, as a share of it, in one picture."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from tests.bench.report import MET, NOT_MET

_MET, _NOT_MET = "#2a7f62", "#b3412f"
_INCHES_A_BAR = 0.32
_CELLS = 5


def shares(page: str) -> list[tuple[str, float, bool]]:
    """Return name, margin and verdict of each row of a page's bars.

    A margin is how many times the bar a figure is, the right way round: from 1 on it is met.
    """
    found = []
    for line in page.split("## All figures", maxsplit=1)[0].splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == _CELLS and cells[-1] in (MET, NOT_MET):
            name, figure, _, bar, verdict = cells
            value, least = _first_number(figure), _first_number(bar.split(" ", 2)[2])
            margin = least / value if bar.startswith("at most") else value / least
            found.append((name, margin, verdict == MET))
    return found


def _first_number(text: str) -> float:
    return float(text.split(maxsplit=1)[0].replace(",", ""))


def draw(page: str, path: Path) -> None:
    """Write a page's picture as SVG, the same bytes for the same page."""
    found = shares(page)
    picture = Figure(figsize=(9, 1 + _INCHES_A_BAR * max(1, len(found))), layout="constrained")
    axes = picture.add_subplot()
    axes.barh(
        [name for name, _, _ in found],
        [margin for _, margin, _ in found],
        color=[_MET if verdict else _NOT_MET for _, _, verdict in found],
    )
    axes.axvline(1, color="black", linewidth=1)
    axes.invert_yaxis()
    axes.set_xlabel("times the bar (right of the line: met)")
    with mpl.rc_context({"svg.hashsalt": "bench", "svg.fonttype": "none"}):
        picture.savefig(path, format="svg", metadata={"Date": None})
