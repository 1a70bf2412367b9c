"""What a restart needs, as records of the compacted state topic."""

import json
from dataclasses import dataclass
from typing import Any

from server_monitoring.detect.alerts import Alert
from server_monitoring.detect.rules import Rules
from server_monitoring.model.exact import Exact
from server_monitoring.model.live import FIRING, PENDING, RESOLVED, utc_second, utc_text


@dataclass(frozen=True)
class Progress:
    """How far a server's windows are.

    Attributes:
        closed_to: all windows that end at or before this second are closed; None if none is.
        first_start: where the first open window starts, so from where rows are still read.
        newest: second of the newest row that was taken; None if there is none.
        heard: when its last row arrived.

    """

    closed_to: int | None
    first_start: int | None
    newest: int | None
    heard: float


def progress_value(progress: Progress) -> bytes:
    """Return the value of the record with the label PROGRESS."""
    times = {
        name: None if second is None else utc_text(second)
        for name, second in (
            ("closed_up_to", progress.closed_to),
            ("first_open", progress.first_start),
            ("newest", progress.newest),
        )
    }
    return json.dumps({**times, "heard": progress.heard}).encode()


def read_progress(value: bytes) -> Progress:
    """Return what `progress_value` wrote.

    Raises:
        ValueError: it is something else.

    """
    found = fields(value)
    heard = found.get("heard")
    if not isinstance(heard, int | float):
        raise ValueError("no number heard")  # noqa: TRY004 - whatever it is, the record is wrong
    closed_to, first_start, newest = (
        _second(found, name) for name in ("closed_up_to", "first_open", "newest")
    )
    return Progress(closed_to, first_start, newest, float(heard))


def alert_value(rules: Rules, alert: Alert, at: int) -> bytes:
    """Return the value of an alert's record, as it is since `at`."""
    return json.dumps(
        {
            "state": alert.state,
            "since": utc_text(alert.since),
            "at": utc_text(at),
            "peak": rules.texts(alert.peak) if alert.peak else {},
            "windows": alert.windows,
            "streak": alert.streak,
        }
    ).encode()


def read_alert(rules: Rules, label: str, value: bytes) -> Alert | None:
    """Return the alert of such a record; None if it is over.

    Raises:
        ValueError: it is something else.

    """
    found = fields(value)
    state, since = found.get("state"), _second(found, "since")
    if state == RESOLVED:
        return None
    windows, streak = found.get("windows"), found.get("streak")
    if not isinstance(windows, int) or not isinstance(streak, int):
        raise ValueError("no numbers windows and streak")  # noqa: TRY004 - see above
    if state not in {PENDING, FIRING} or since is None:
        raise ValueError("no state, or no time since")
    return Alert(label, state, since, _peak(rules, found.get("peak")), windows, streak)


def _peak(rules: Rules, texts: Any) -> tuple[Exact, Exact] | None:
    columns = [metric.output_column for metric in rules.group.metrics]
    if not isinstance(texts, dict) or set(texts) != set(columns):
        return None
    first, second = (rules.measure.read(str(texts[column])) for column in columns)
    return first, second


def fields(value: bytes) -> dict[str, Any]:
    """Return the content of a state record.

    Raises:
        ValueError: it is no JSON object.

    """
    found = json.loads(value)
    if not isinstance(found, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - whatever it is, the record is wrong
    return found


def _second(found: dict[str, Any], name: str) -> int | None:
    text = found.get(name)
    if text is None:
        return None
    if not isinstance(text, str):
        message = f"no time {name}"
        raise ValueError(message)  # noqa: TRY004 - see above
    return utc_second(text)
