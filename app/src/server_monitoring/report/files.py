"""The files of a report, written into a run's results folder."""

from pathlib import Path

from server_monitoring.errors import counted
from server_monitoring.host.durable import write_text
from server_monitoring.report.export import CSV_NAME, JSON_NAME, write_incidents
from server_monitoring.report.library import default_path, read_library
from server_monitoring.report.page import NAME, render
from server_monitoring.results.changes import check_comparable, compare
from server_monitoring.results.folder import read_results


def write_report(folder: Path, against: Path | None = None) -> str:
    """Write report.html, incidents.csv and incidents.json; return a line that says so.

    Args:
        folder: results of a run.
        against: results of another run; the page then lists what changed since.

    Raises:
        ResultsError: a folder is not whole, the two cannot be compared, or there is no library
            to draw the charts.
        StorageError: a file cannot be written.

    """
    library = read_library(default_path())
    results = read_results(folder)
    changes = None
    if against is not None:
        other = read_results(against, keep_series=False)
        check_comparable(results.manifest, other.manifest)
        changes = (other.manifest, compare(results.incidents(), other.incidents()))
    incidents = results.incidents()
    write_incidents(folder, incidents, results.manifest)
    page = render(results, library, changes)
    write_text(folder / NAME, page)
    return (
        f"{folder / NAME}: {counted(len(incidents), 'incident')} on "
        f"{counted(len(results.servers), 'server')}, "
        f"{len(page.encode()) / 1e6:.1f} MB; also {CSV_NAME} and {JSON_NAME}"
    )
