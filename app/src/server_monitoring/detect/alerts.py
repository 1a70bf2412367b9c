"""An alert of one server and label: pending, firing, resolved; and what is told of it."""

from dataclasses import dataclass

from server_monitoring.detect.rules import Rules
from server_monitoring.detect.windows import Window
from server_monitoring.model import live
from server_monitoring.model.exact import Exact
from server_monitoring.model.live import FIRING, NO_DATA, PENDING, RESOLVED, utc_text

Told = dict[str, object]


@dataclass
class Alert:
    """An alert that is pending or firing.

    Attributes:
        label: of its windows, or `no data`.
        state: PENDING, FIRING, or RESOLVED once it fired and is over.
        since: when its first window starts, or the silence began, in seconds.
        peak: the highest number of each metric in its windows; None without any.
        windows: how many of its windows had the label.
        streak: of a pending one, its windows in a row; of a firing one, those without the label.

    """

    label: str
    state: str
    since: int
    peak: tuple[Exact, Exact] | None = None
    windows: int = 0
    streak: int = 0

    def with_label(self, window: Window, for_windows: int) -> bool:
        """Take a window that has the label; return whether the alert fires with it."""
        first, second = window.numbers
        if self.peak is not None:
            first, second = max(first, self.peak[0]), max(second, self.peak[1])
        self.peak = first, second
        self.windows += 1
        if self.state == FIRING:
            self.streak = 0
            return False
        self.streak += 1
        if self.streak < for_windows:
            return False
        self.state, self.streak = FIRING, 0
        return True

    def without_label(self, clear_windows: int) -> bool:
        """Take a window without the label; return whether the alert is over with it.

        A pending one that is over stays pending: it never fired.
        """
        if self.state == PENDING:
            return True
        self.streak += 1
        if self.streak < clear_windows:
            return False
        self.state = RESOLVED
        return True


def step(
    alerts: dict[str, Alert], window: Window, label: str, rules: Rules
) -> tuple[list[Alert], list[Alert]]:
    """Bring a server's alerts up to a window: the next that both metrics have a value in.

    Those that are over leave `alerts`. Windows in a row are those that exist, without those in
    which a metric has no value.

    Returns:
        The alerts that changed, and those of them that now fire, or no longer do.

    """
    changed: list[Alert] = []
    moved: list[Alert] = []
    for other in [a for a in alerts.values() if a.label not in {label, NO_DATA}]:
        changed.append(other)
        if other.without_label(rules.live.clear_windows):
            del alerts[other.label]
            moved += [other] if other.state == RESOLVED else []
    if label:
        alert = alerts.setdefault(label, Alert(label, PENDING, window.start))
        changed.append(alert)
        if alert.with_label(window, rules.live.for_windows):
            moved.append(alert)
    return changed, moved


def window_record(rules: Rules, server_id: str, window: Window, label: str) -> Told:
    """Return the record of a window that alerts."""
    group, start = rules.group.name, utc_text(window.start)
    return {
        "kind": live.WINDOW,
        "id": live.alert_id(group, server_id, start),
        "group": group,
        "server_id": server_id,
        "window_start": start,
        "window_end": utc_text(window.start + rules.windows.window),
        "alert": label,
        "values": rules.texts(window.numbers),
        "thresholds": rules.limits(server_id).texts,
    }


def transition_record(rules: Rules, server_id: str, alert: Alert, at: int) -> Told:
    """Return the record of an alert that fires, or no longer does, since the second `at`."""
    group, since = rules.group.name, utc_text(alert.since)
    return {
        "kind": live.TRANSITION,
        "id": live.alert_id(group, server_id, alert.label, alert.state, since),
        "group": group,
        "server_id": server_id,
        "alert": alert.label,
        "state": alert.state,
        "since": since,
        "at": utc_text(at),
        "peak": rules.texts(alert.peak) if alert.peak else {},
        "windows": alert.windows,
    }
