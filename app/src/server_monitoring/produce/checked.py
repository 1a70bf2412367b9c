"""`produce.checked`: that a run's data set was read to its end, and has no bad row.

A producer that was killed need not read a large data set again.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from server_monitoring import __version__
from server_monitoring.host.durable import read_json, write_json
from server_monitoring.host.runs import Run
from server_monitoring.sources.dataset import Dataset
from server_monitoring.sources.rows import Report


@dataclass(frozen=True)
class Checked:
    """What was found, and what that is valid for: another version may find other rows bad.

    Attributes:
        sha256: of the data set.
        columns: that were read.
        times: the name of the form that they are written in, or "" for that of the data.
        layout: how the data set is written.
        lines, rows, empty, missing: as `dataset.Report` has them.

    """

    sha256: str
    columns: list[str]
    times: str
    layout: dict[str, Any]
    app_version: str
    lines: int
    rows: int
    empty: int
    missing: dict[str, int]


def checked_path(run: Run) -> Path:
    """Return where the note is."""
    return run.directory / "produce.checked"


def _checked(dataset: Dataset, sha256: str, report: Report) -> Checked:
    return Checked(
        sha256=sha256,
        columns=list(dataset.columns),
        times=dataset.form.name if dataset.form else "",
        layout=asdict(dataset.layout),
        app_version=__version__,
        lines=report.lines,
        rows=report.rows,
        empty=report.empty,
        missing=report.missing,
    )


def recall(run: Run, dataset: Dataset, sha256: str) -> Report | None:
    """Return what an earlier start noted about this data set, or None if it has to be read."""
    try:
        known = read_json(checked_path(run), Checked)
    except (OSError, ValueError):
        return None
    report = Report(known.lines, known.rows, known.empty, known.missing)
    return report if known == _checked(dataset, sha256, report) else None


def note(run: Run, dataset: Dataset, sha256: str, report: Report) -> None:
    """Note that a data set was read, unless bad rows will have to be named again.

    Raises:
        StorageError: the note cannot be written.

    """
    if not report.bad_rows:
        write_json(checked_path(run), asdict(_checked(dataset, sha256, report)))
