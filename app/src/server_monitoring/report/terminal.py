"""Incidents as a table for a terminal. Pure: functions return lines."""

import unicodedata
from collections.abc import Iterator, Sequence

from server_monitoring.errors import counted, printable
from server_monitoring.model.incidents import Incident
from server_monitoring.report.export import plain
from server_monitoring.results.changes import CHANGED, GONE, NEW, Change, differences
from server_monitoring.results.manifest import Manifest

HEADINGS = ("server", "alert", "from", "to", "lasted", "peak", "", "threshold", "above")
NUMBERS = frozenset({"lasted", "", "threshold", "above"})
# Columns of a terminal that a server's name may take.
NAME_WIDTH = 40
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def incident_lines(incidents: Sequence[Incident], manifest: Manifest) -> Iterator[str]:
    """Yield the table of incidents, in the given order, and a line that counts them."""
    if incidents:
        yield from _table(HEADINGS, [_cells(incident, manifest) for incident in incidents])
        yield "\n"
    servers = len({incident.server for incident in incidents})
    found = f"{counted(len(incidents), 'incident')} on {counted(servers, 'server')}"
    yield f"run {manifest.run_id}: {found}\n"


def change_lines(changes: Sequence[Change], manifest: Manifest, other: Manifest) -> Iterator[str]:
    """Yield the table of changes, settings that differ, and a line that counts the changes."""
    if changes:
        rows = [
            [change.kind, *_cells(change.incident, manifest), _before(change, manifest)]
            for change in changes
        ]
        yield from _table(("change", *HEADINGS, "was"), rows)
        yield "\n"
    for line in differences(manifest, other):
        yield f"settings differ: {line}\n"
    counts = ", ".join(
        f"{sum(change.kind == kind for change in changes):,} {kind}"
        for kind in (NEW, GONE, CHANGED)
    )
    yield f"run {manifest.run_id} against {other.run_id}: {counts}\n"


def _before(change: Change, manifest: Manifest) -> str:
    was, now = change.was, change.now
    if was is None or now is None:
        return ""
    times = f"{manifest.time_text(was.start)} to {manifest.time_text(was.end)}, "
    return f"{times if (was.start, was.end) != (now.start, now.end) else ''}peak {was.worst.value}"


def _cells(incident: Incident, manifest: Manifest) -> list[str]:
    worst = incident.worst
    percent = "" if worst.percent is None else f"+{worst.percent:.1f} %"
    return [
        shortened(printable(incident.server), NAME_WIDTH),
        printable(incident.label),
        manifest.time_text(incident.start),
        manifest.time_text(incident.end),
        duration(incident.seconds),
        worst.column,
        f"{float(worst.value):.6g}" if len(worst.value) > len("-123.456") else worst.value,
        plain(worst.threshold),
        percent,
    ]


def width(text: str) -> int:
    """Return the columns that printable text takes in a terminal."""
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )


def shortened(text: str, columns: int) -> str:
    """Return `text`, without its middle if it takes more than `columns`."""
    if width(text) <= columns:
        return text
    half = (columns - 1) // 2
    head, tail = text[:half], text[-half:]
    while width(head) > half:
        head = head[:-1]
    while width(tail) > half:
        tail = tail[1:]
    return f"{head}…{tail}"


def duration(seconds: int) -> str:
    """Return seconds in the two largest units: 40 s, 7 min 10 s, 2 h 5 min."""
    parts = []
    for size, unit in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def _table(headings: Sequence[str], rows: list[list[str]]) -> Iterator[str]:
    widths = [
        max(width(heading), *(width(row[place]) for row in rows))
        for place, heading in enumerate(headings)
    ]
    for row in [list(headings), *rows]:
        cells = []
        for heading, text, columns in zip(headings, row, widths, strict=True):
            space = " " * (columns - width(text))
            cells.append(space + text if heading in NUMBERS else text + space)
        yield "  ".join(cells).rstrip() + "\n"
