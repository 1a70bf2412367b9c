"""`bad-rows.csv`: the rows of a data set that were left out, with their numbers and reasons."""

from pathlib import Path

from server_monitoring.host.durable import replace_file
from server_monitoring.host.runs import Run
from server_monitoring.model.csv_text import csv_row
from server_monitoring.sources.dataset import Dataset
from server_monitoring.sources.rows import BadRow, Report

# What to do with bad rows: stop before anything is sent, or leave them out and list them.
STOP, SKIP = "stop", "skip"


def bad_rows_path(run: Run) -> Path:
    """Return where the list is, if there is one."""
    return run.directory / "bad-rows.csv"


def set_aside(dataset: Dataset, run: Run, report: Report) -> None:
    """List the bad rows in the run's bad-rows.csv; do nothing if there are none.

    Raises:
        StorageError: the file cannot be written.

    """
    if not report.bad_rows:
        return

    def fill(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8", errors="surrogateescape", newline="") as out:
            out.write(csv_row(["line", "reason", "row"]))
            for row in dataset.read():
                if isinstance(row, BadRow):
                    reason = "; ".join(problem.reason() for problem in row.problems)
                    out.write(csv_row([row.line, reason, row.text]))

    replace_file(bad_rows_path(run), fill)
