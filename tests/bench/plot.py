"""Each figure that has a bar, as a share of it, in one picture."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from tests.bench.measurement import Measurement
from tests.bench.report import meets, ratio

_MET, _NOT_MET = "#2a7f62", "#b3412f"
_INCHES_A_BAR = 0.32


def shares(figures: Sequence[Measurement]) -> list[tuple[str, float, bool]]:
    """Return name, margin and verdict of each figure with a bar.

    A margin is how many times the bar a figure is, the right way round: from 1 on it is met.
    """
    by_name = {figure.name: figure for figure in figures}
    found = []
    for figure in figures:
        verdict = meets(figure, by_name)
        if verdict is None or not figure.bar:
            continue
        share = ratio(figure, by_name)
        value = figure.value if share is None else share
        margin = figure.bar / value if figure.at_most else value / figure.bar
        found.append((figure.name, margin, verdict))
    return found


def draw(figures: Sequence[Measurement], path: Path) -> None:
    """Write the picture as SVG, the same bytes for the same figures."""
    found = shares(figures)
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
