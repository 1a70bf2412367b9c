"""What one metric group's detection goes by: windows, measure, labels, thresholds, patience."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase

from server_monitoring.model.exact import MEASURES, Exact, Measure
from server_monitoring.model.groups import JOIN_ROWS, Group
from server_monitoring.model.timestamps import ISO
from server_monitoring.model.windows import Windows
from server_monitoring.settings.config import Config
from server_monitoring.settings.live import Live


@dataclass(frozen=True)
class Limits:
    """A server's thresholds, one for each metric: as numbers of the measure, and as settings."""

    numbers: tuple[Exact, Exact]
    texts: dict[str, str]


@dataclass(frozen=True)
class Rules:
    """The rules of one group; the same for all servers but for `limits`."""

    group: Group
    windows: Windows
    measure: Measure
    thresholds: dict[str, Decimal]
    live: Live

    @classmethod
    def of(cls, config: Config, group: Group, live: Live) -> "Rules":
        """Return what the settings say of a group; times of live rows are ISO 8601."""
        windows = Windows(config.window_seconds, config.slide_seconds, None, ISO.earliest)
        return cls(group, windows, MEASURES[group.aggregate], config.thresholds, live)

    @property
    def rows_meet(self) -> bool:
        """Whether only seconds count at which both metrics have a row."""
        return self.group.join == JOIN_ROWS

    @property
    def late_seconds(self) -> int:
        """How old a row may be when it arrives."""
        return self.live.late_hours * 3600

    def limits(self, server_id: str) -> Limits:
        """Return a server's thresholds: of the first pattern that names it and the column."""
        found = {m.column: self._threshold(server_id, m.column) for m in self.group.metrics}
        first, second = map(self.measure.limit, found.values())
        return Limits((first, second), {column: str(limit) for column, limit in found.items()})

    def _threshold(self, server_id: str, column: str) -> Decimal:
        for pattern, thresholds in self.live.thresholds.items():
            if column in thresholds and fnmatchcase(server_id, pattern):
                return thresholds[column]
        return self.thresholds[column]

    def label(self, numbers: Sequence[Exact], limits: Limits) -> str:
        """Return the label of a window with these numbers; "" for none."""
        first, second = (n > limit for n, limit in zip(numbers, limits.numbers, strict=True))
        labels = self.group.labels
        if first:
            return labels.both if second else labels.first
        return labels.second if second else ""

    def texts(self, numbers: Sequence[Exact]) -> dict[str, str]:
        """Return a window's numbers as the table has them, by its columns."""
        columns = (metric.output_column for metric in self.group.metrics)
        return dict(zip(columns, map(self.measure.text, numbers), strict=True))

    def closed_end(self, second: int) -> int:
        """Return the end of the last window that ends at or before `second`."""
        return self.windows.highest_start(second - self.windows.window) + self.windows.window
