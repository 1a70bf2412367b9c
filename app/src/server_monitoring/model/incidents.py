"""Windows of one server and label that overlap or touch are one incident. Pure: no files.

An incident lasts from the start of its first window to the end of its last one. Its peak is the
value furthest above its threshold, in proportion to it, of the metrics that its label names.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import NamedTuple

# Of all digits between those of the largest double and of the smallest.
_EXACT = Context(prec=1_100)


@dataclass(frozen=True)
class Limit:
    """One value column of a table.

    Attributes:
        output_column: its name in the table.
        column: its name in the data set, which the thresholds go by.
        threshold: a value strictly above it is abnormal.

    """

    output_column: str
    column: str
    threshold: Decimal


class Peak(NamedTuple):
    """The highest value of one metric in an incident.

    Attributes:
        column: the table's column.
        value: as the table writes it.
        at: window_start of the first window that has it, in seconds.
        threshold: what it is above.

    """

    column: str
    value: str
    at: int
    threshold: Decimal

    @property
    def above(self) -> Decimal:
        """How far it is above the threshold, exactly."""
        return _EXACT.subtract(Decimal(self.value), self.threshold)

    @property
    def ratio(self) -> float:
        """How far above, in proportion to the threshold: 0.5 is half as high again."""
        if not self.threshold:
            return math.inf
        return float(self.above / abs(self.threshold))

    @property
    def percent(self) -> float | None:
        """The ratio in percent, to one place; None for a threshold of 0, or if it is no double."""
        percent = round(self.ratio * 100, 1)
        return percent if math.isfinite(percent) else None


class Incident(NamedTuple):
    """Alert windows of one server, group and label without a gap between them.

    Attributes:
        start: of the first window, in seconds of the run's time form.
        end: of the last window, not included.
        windows: how many bear the label.
        peaks: of each metric that was above its threshold, the worst first.

    """

    server: str
    group: str
    label: str
    start: int
    end: int
    windows: int
    peaks: tuple[Peak, ...]

    @property
    def seconds(self) -> int:
        """How long it lasted."""
        return self.end - self.start

    @property
    def worst(self) -> Peak:
        """The peak furthest above its threshold."""
        return self.peaks[0]


class AlertWindow(NamedTuple):
    """A labelled row of a table: its values as numbers, and as the table has them."""

    start: int
    label: str
    values: tuple[float, ...]
    texts: tuple[str, ...]


def severity(incident: Incident) -> tuple[float, int, str, int]:
    """Return a key by which incidents sort, the worst first: how far above, then how long."""
    return (-incident.worst.ratio, -incident.seconds, incident.server, incident.start)


def level(ratio: float) -> int:
    """Return how bad a ratio above the threshold is: 1 to LEVELS."""
    return 1 + sum(ratio >= bound for bound in BOUNDS)


# Levels begin at these ratios above the threshold.
BOUNDS = (0.1, 0.25, 0.5)
LEVELS = len(BOUNDS) + 1


@dataclass
class _Open:
    start: int
    end: int
    windows: int = 0
    highest: dict[int, tuple[float, str, int]] = field(default_factory=dict)


class Merger:
    """Merges one server's alert windows of one group, given in time order, into incidents."""

    def __init__(self, server: str, group: str, metrics: Sequence[Limit], window: int) -> None:
        """Take the metrics in the order of the values; `window` is in seconds."""
        self._server = server
        self._group = group
        self._metrics = metrics
        self._limits = [float(metric.threshold) for metric in metrics]
        self._window = window
        self._open: dict[str, _Open] = {}
        self._done: list[Incident] = []

    def add(self, row: AlertWindow) -> None:
        """Take the next alert window.

        Raises:
            ValueError: no value is above its threshold, so the label does not fit these thresholds.

        """
        current = self._open.get(row.label)
        if current is None or row.start > current.end:
            if current is not None:
                self._close(row.label, current)
            current = self._open[row.label] = _Open(row.start, row.start)
        current.end = row.start + self._window
        current.windows += 1
        above = False
        for index, value in enumerate(row.values):
            if value > self._limits[index] or (
                value == self._limits[index]
                and Decimal(row.texts[index]) > self._metrics[index].threshold
            ):
                above = True
                if index not in current.highest or value > current.highest[index][0]:
                    current.highest[index] = (value, row.texts[index], row.start)
        if not above:
            raise ValueError(row.label)

    def close(self) -> list[Incident]:
        """Return all incidents, by start."""
        for label, current in self._open.items():
            self._close(label, current)
        self._open = {}
        return sorted(self._done, key=lambda incident: incident.start)

    def _close(self, label: str, current: _Open) -> None:
        peaks = [
            Peak(self._metrics[i].output_column, text, at, self._metrics[i].threshold)
            for i, (_, text, at) in sorted(current.highest.items())
        ]
        peaks.sort(key=lambda peak: -peak.ratio)
        self._done.append(
            Incident(
                self._server,
                self._group,
                label,
                current.start,
                current.end,
                current.windows,
                tuple(peaks),
            )
        )


def covered_seconds(incidents: Iterable[Incident]) -> int:
    """Return how many seconds at least one of the incidents covers."""
    total, reached = 0, -math.inf
    for incident in sorted(incidents, key=lambda i: i.start):
        if incident.end > reached:
            total += incident.end - int(max(incident.start, reached))
            reached = incident.end
    return total
