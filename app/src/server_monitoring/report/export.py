"""Incidents as rows and as JSON: the contents of incidents.csv and incidents.json.

The columns are documented in docs/results.md and do not change; new ones come at the end.
"""

import math
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from server_monitoring import __version__
from server_monitoring.host.durable import replace_file, write_json
from server_monitoring.model.csv_text import table_row, text_cell
from server_monitoring.model.incidents import Incident, Peak
from server_monitoring.results.changes import Change
from server_monitoring.results.manifest import Manifest

COLUMNS = (
    "server_id",
    "incident_start",
    "incident_end",
    "group",
    "alert",
    "duration_seconds",
    "windows",
    "peak_column",
    "peak",
    "peak_at",
    "threshold",
    "above",
    "above_percent",
)
CHANGE_COLUMNS = ("change", *COLUMNS, "was_start", "was_end", "was_windows", "was_peak")
# Texts of the data set and the settings.
TEXTS = {"server_id", "alert"}
CSV_NAME, JSON_NAME = "incidents.csv", "incidents.json"


def plain(number: Decimal) -> str:
    """Return a decimal without an exponent and without trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def row(incident: Incident, manifest: Manifest) -> list[str]:
    """Return an incident's fields, in the order of COLUMNS."""
    worst = incident.worst
    return [
        incident.server,
        manifest.time_text(incident.start),
        manifest.time_text(incident.end),
        incident.group,
        incident.label,
        str(incident.seconds),
        str(incident.windows),
        worst.column,
        worst.value,
        manifest.time_text(worst.at),
        plain(worst.threshold),
        plain(worst.above),
        "" if worst.percent is None else str(worst.percent),
    ]


def change_row(change: Change, manifest: Manifest) -> list[str]:
    """Return a change's fields, in the order of CHANGE_COLUMNS."""
    was = change.was if change.now else None
    before = ["", "", "", ""]
    if was is not None:
        times = [manifest.time_text(was.start), manifest.time_text(was.end)]
        before = [*times, str(was.windows), was.worst.value]
    return [change.kind, *row(change.incident, manifest), *before]


def as_json(incident: Incident, manifest: Manifest) -> dict[str, Any]:
    """Return an incident as a JSON object: times as in the tables, values as numbers."""
    return {
        "server_id": incident.server,
        "incident_start": manifest.time_text(incident.start),
        "incident_end": manifest.time_text(incident.end),
        "group": incident.group,
        "alert": incident.label,
        "duration_seconds": incident.seconds,
        "windows": incident.windows,
        "peaks": [_peak(peak, manifest) for peak in incident.peaks],
    }


def _peak(peak: Peak, manifest: Manifest) -> dict[str, Any]:
    above = float(peak.above)
    return {
        "column": peak.column,
        "peak": float(peak.value),
        "peak_at": manifest.time_text(peak.at),
        "threshold": float(peak.threshold),
        "above": above if math.isfinite(above) else None,  # JSON has no infinity
        "above_percent": peak.percent,
    }


def change_json(change: Change, manifest: Manifest) -> dict[str, Any]:
    """Return a change as a JSON object: the incident as it is and as it was, null if there is none.

    Both are objects as `as_json` returns them.
    """
    return {
        "change": change.kind,
        "now": as_json(change.now, manifest) if change.now else None,
        "was": as_json(change.was, manifest) if change.was else None,
    }


def document(incidents: Iterable[Incident], manifest: Manifest) -> dict[str, Any]:
    """Return the content of incidents.json."""
    return {
        "run_id": manifest.run_id,
        "app_version": __version__,
        "window_seconds": manifest.window_seconds,
        "incidents": [as_json(incident, manifest) for incident in incidents],
    }


def csv_line(fields: Iterable[str], columns: Iterable[str] = COLUMNS) -> str:
    """Return fields of `columns` as a line of CSV, without a text that a spreadsheet would run."""
    pairs = zip(columns, fields, strict=True)
    return table_row(text_cell(field) if column in TEXTS else field for column, field in pairs)


def csv_lines(incidents: Iterable[Incident], manifest: Manifest) -> Iterator[str]:
    """Yield the lines of incidents.csv."""
    yield table_row(COLUMNS)
    for incident in incidents:
        yield csv_line(row(incident, manifest))


def write_incidents(folder: Path, incidents: list[Incident], manifest: Manifest) -> None:
    """Write incidents.csv and incidents.json, each with the guarantee of `durable.replace_file`.

    Raises:
        StorageError: one cannot be written.

    """

    def fill(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8", newline="") as out:
            out.writelines(csv_lines(incidents, manifest))

    replace_file(folder / CSV_NAME, fill)
    write_json(folder / JSON_NAME, document(incidents, manifest))
