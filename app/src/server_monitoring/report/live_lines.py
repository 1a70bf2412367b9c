"""Transitions of live alerts as lines for people. Pure; whatever a record holds, it is text."""

from collections.abc import Mapping
from typing import Any

from server_monitoring.errors import counted, printable
from server_monitoring.model.live import BOOKS_DIFFER, FIRING, TRANSITION, utc_second
from server_monitoring.report.terminal import duration

_RED, _GREEN, _PLAIN = "\033[1;31m", "\033[32m", "\033[0m"


def live_line(told: Mapping[str, Any], units: Mapping[str, str], *, colour: bool) -> str | None:
    """Return a record of the alerts topic as a line; None if it is no transition.

    Time, state, server, group, label; then its values, or how long it lasted and its peak.
    """
    if told.get("kind") != TRANSITION:
        return None
    fires = told.get("state") == FIRING
    state = f"{'FIRING' if fires else 'resolved':<8}"
    if colour:
        state = f"{_RED if fires else _GREEN}{state}{_PLAIN}"
    whose = _text(told.get("server_id"))
    if told.get("alert") == BOOKS_DIFFER:
        whose = f"day {_text(told.get('day'))}"
    parts = (
        _text(told.get("at")),
        state,
        whose,
        _text(told.get("group")),
        _text(told.get("alert")),
    )
    return "  ".join(filter(None, (*parts, _more(told, units, fires=fires))))


def _more(told: Mapping[str, Any], units: Mapping[str, str], *, fires: bool) -> str:
    peak = told.get("peak")
    numbers = peak.items() if isinstance(peak, dict) else ()
    values = ", ".join(
        f"{_text(column)} {_text(value)} {_text(units.get(column))}".rstrip()
        for column, value in numbers
    )
    differing = told.get("differences")
    if isinstance(differing, int) and fires:
        values = counted(differing, "difference")
    if fires:
        return values
    lasted = f"after {_lasted(told)}"
    return f"{lasted}, peak {values}" if values else lasted


def _lasted(told: Mapping[str, Any]) -> str:
    try:
        return duration(max(0, utc_second(told["at"]) - utc_second(told["since"])))
    except (LookupError, ValueError, TypeError):
        return "?"


def _text(value: object) -> str:
    return "" if value is None else printable(str(value))
