"""`server-monitoring alerts`: print a run's incidents, or what differs from another run's."""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

from server_monitoring.commands import common
from server_monitoring.errors import printable_lines
from server_monitoring.model.csv_text import table_row
from server_monitoring.report import export
from server_monitoring.report.terminal import change_lines, incident_lines
from server_monitoring.results.changes import Change, check_comparable, compare
from server_monitoring.results.folder import Results, read_results

HELP = "print a run's incidents: exit status 0 if there are none, 10 if there are some"
EXAMPLE = "server-monitoring alerts results/latest --format csv"
# The exit status that says that there is something; errors have lower ones.
FOUND = 10
TABLE, JSON, CSV = "table", "json", "csv"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    common.add_run_dir(parser)
    parser.add_argument(
        "--format",
        choices=(TABLE, JSON, CSV),
        default=TABLE,
        help="how to print them: a table for people (default), or what a program reads",
    )
    about = (
        "results of another run: print only new, gone and changed incidents; exit status 0 if "
        "there are none"
    )
    common.add_path(parser, "--against", about, metavar="OTHER")


def run(args: argparse.Namespace) -> int:
    """Print incidents or changes; return 0 if there are none, else FOUND."""
    results = read_results(args.run_dir, keep_series=False)
    if args.against is None:
        incidents = results.incidents()
        lines = _incidents(results, args.format)
        found = bool(incidents)
    else:
        other = read_results(args.against, keep_series=False)
        check_comparable(results.manifest, other.manifest)
        changes = compare(results.incidents(), other.incidents())
        lines = _changes(results, other, changes, args.format)
        found = bool(changes)
    # A program gets the texts as they are.
    show = printable_lines if sys.stdout.isatty() else str
    for line in lines:
        print(show(line), end="")
    return FOUND if found else 0


def _incidents(results: Results, form: str) -> Iterator[str]:
    manifest = results.manifest
    if form == CSV:
        yield from export.csv_lines(results.incidents(), manifest)
    elif form == JSON:
        yield _json(export.document(results.incidents(), manifest))
    else:
        yield from incident_lines(results.worst_first(), manifest)


def _changes(results: Results, other: Results, changes: list[Change], form: str) -> Iterator[str]:
    manifest = results.manifest
    if form == CSV:
        yield table_row(export.CHANGE_COLUMNS)
        for change in changes:
            fields = export.change_row(change, manifest)
            yield export.csv_line(fields, export.CHANGE_COLUMNS)
    elif form == JSON:
        yield _json(
            {
                "run_id": manifest.run_id,
                "against": other.manifest.run_id,
                "changes": [export.change_json(change, manifest) for change in changes],
            }
        )
    else:
        yield from change_lines(changes, manifest, other.manifest)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
