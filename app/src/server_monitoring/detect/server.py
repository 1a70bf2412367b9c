"""One server, as a detector knows it."""

import math
from collections import Counter

from server_monitoring.detect.alerts import Alert
from server_monitoring.detect.rules import Rules
from server_monitoring.detect.state import Progress
from server_monitoring.detect.windows import OpenWindows
from server_monitoring.model.live import FIRING, NO_DATA, RESOLVED


class Server:
    """A server's open windows and alerts.

    Attributes:
        partition: of all its rows, and of what is told of it.
        heard: when its last row arrived, in seconds since 1970.
        newest: second of the newest row that was taken, also before a restart.
        counts: of its rows that were not taken, by reason.

    """

    __slots__ = (
        *("alerts", "counts", "heard", "limits", "newest", "partition", "server_id", "windows"),
    )

    def __init__(self, rules: Rules, server_id: str, partition: int) -> None:
        """Begin with nothing."""
        self.server_id = server_id
        self.partition = partition
        self.limits = rules.limits(server_id)
        self.windows = OpenWindows(rules)
        self.alerts: dict[str, Alert] = {}
        self.counts: Counter[str] = Counter()
        self.heard = 0.0
        self.newest: int | None = None

    def restore(self, rules: Rules, progress: Progress) -> None:
        """Go on where another detector was."""
        self.windows = OpenWindows(rules, progress.closed_to, progress.first_start)
        self.heard, self.newest = progress.heard, progress.newest

    def progress(self) -> Progress:
        """Return what a restart needs of the windows."""
        newest = self.windows.newest()
        if newest is not None:
            self.newest = max(newest, self.newest or newest)
        return Progress(
            self.windows.closed_to, self.windows.first_start, self.newest, round(self.heard, 3)
        )

    def silent(self, now: float, seconds: float) -> bool:
        """Return whether no row came for so long, and no alert says so yet."""
        return now - self.heard > seconds and NO_DATA not in self.alerts

    def falls_silent(self) -> Alert:
        """Return the alert that there is no data since the last row."""
        self.alerts[NO_DATA] = Alert(NO_DATA, FIRING, math.ceil(self.heard))
        return self.alerts[NO_DATA]

    def speaks(self) -> Alert | None:
        """Return the alert that there is no data, if rows that came since then end it."""
        alert = self.alerts.get(NO_DATA)
        if alert is None or self.heard <= alert.since:
            return None
        del self.alerts[NO_DATA]
        alert.state = RESOLVED
        return alert
