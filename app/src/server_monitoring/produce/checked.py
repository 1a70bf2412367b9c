"""`produce.checked`: that a run's data set was read to its end, and is without a bad row.

A producer that was killed goes on without reading a data set of any size once more.
"""

import json
from pathlib import Path

from server_monitoring import __version__
from server_monitoring.host.durable import write_json
from server_monitoring.host.runs import Run
from server_monitoring.sources.dataset import Dataset, Report


def checked_path(run: Run) -> Path:
    """Return where it is noted."""
    return run.directory / "produce.checked"


def _key(dataset: Dataset, sha256: str) -> dict[str, object]:
    """Return what the note holds for; another app may find bad what this one did not."""
    return {
        "sha256": sha256,
        "columns": list(dataset.columns),
        "times": dataset.form.name,
        "app_version": __version__,
    }


def recall(run: Run, dataset: Dataset, sha256: str) -> Report | None:
    """Return what an earlier start noted of this very data set; None if it has to be read."""
    try:
        known = json.loads(checked_path(run).read_text(encoding="utf-8"))
        report = Report(rows=known.pop("rows"), missing=known.pop("missing"))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    return report if known == _key(dataset, sha256) else None


def note(run: Run, dataset: Dataset, sha256: str, report: Report) -> None:
    """Note that a data set was read; one with bad rows is read again, to name them.

    Raises:
        StorageError: it cannot be written.

    """
    if not report.bad_rows:
        counts = {"rows": report.rows, "missing": report.missing}
        write_json(checked_path(run), _key(dataset, sha256) | counts)
