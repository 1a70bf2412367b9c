"""A server's windows in one group, and the few of them that a chart needs. Pure.

Leaving windows out never hides an extreme: those with the lowest and the highest value of each
metric in every stretch stay, with all their values, so whatever is shown is a row of the table.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

# The most gaps that are shown of a server in a group: the longest ones.
MAX_GAPS = 100


@dataclass
class Series:
    """Windows in time order.

    Attributes:
        starts: window_start in seconds, ascending.
        values: an array for each metric.
        labels: 0 for no alert, else 1 + the label's place in its group.
        gaps: (end of a window, start of the next) where the two do not touch.
        whole: whether every window is there.

    """

    starts: array[int]
    values: tuple[array[float], ...]
    labels: array[int]
    gaps: list[tuple[int, int]] = field(default_factory=list)
    whole: bool = True

    @classmethod
    def empty(cls, metrics: int) -> Series:
        """Return a series without windows."""
        return cls(array("q"), tuple(array("d") for _ in range(metrics)), array("h"))

    def __len__(self) -> int:
        """Return the number of windows held."""
        return len(self.starts)

    def note_gaps(self, start: int, window: int) -> None:
        """Find the gaps among the windows from index `start` on."""
        starts = self.starts
        for i in range(max(start, 1), len(starts)):
            if starts[i] - starts[i - 1] > window:
                self.gaps.append((starts[i - 1] + window, starts[i]))
        if len(self.gaps) > MAX_GAPS:
            longest = sorted(self.gaps, key=lambda gap: gap[0] - gap[1])[:MAX_GAPS]
            self.gaps = sorted(longest)

    def reduced(self, stretches: int) -> Series:
        """Return the extremes of each of `stretches` equal stretches, and both ends."""
        kept = extremes(self.values, stretches)
        if len(kept) == len(self):
            return self
        return Series(
            array("q", [self.starts[i] for i in kept]),
            tuple(array("d", [column[i] for i in kept]) for column in self.values),
            array("h", [self.labels[i] for i in kept]),
            self.gaps,
            whole=False,
        )


def extremes(columns: tuple[array[float], ...], stretches: int) -> list[int]:
    """Return the places, ascending, of each column's lowest and highest value in each stretch."""
    length = len(columns[0]) if columns else 0
    if length <= 2 * len(columns) * stretches:
        return list(range(length))
    kept = {0, length - 1}
    for stretch in range(stretches):
        first, after = stretch * length // stretches, (stretch + 1) * length // stretches
        for column in columns:
            part = column[first:after]
            kept.add(first + part.index(min(part)))
            kept.add(first + part.index(max(part)))
    return sorted(kept)
