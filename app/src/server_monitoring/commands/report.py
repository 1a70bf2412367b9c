"""`server-monitoring report`: write a run's page and incident files from its results folder."""

import argparse
from pathlib import Path

from server_monitoring.commands import common
from server_monitoring.host.durable import write_text
from server_monitoring.report.export import CSV_NAME, JSON_NAME, write_incidents
from server_monitoring.report.library import default_path, read_library
from server_monitoring.report.page import NAME, render
from server_monitoring.results.changes import check_comparable, compare
from server_monitoring.results.folder import read_results

HELP = "write report.html, incidents.csv and incidents.json into a run's results folder"
EXAMPLE = "server-monitoring report results/latest"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    common.add_run_dir(parser)
    parser.add_argument(
        "--against",
        type=Path,
        metavar="OTHER",
        help="results of another run: the page lists new, gone and changed incidents too",
    )


def run(args: argparse.Namespace) -> int:
    """Write the three files and print one line."""
    library = read_library(default_path())
    results = read_results(args.run_dir)
    against = None
    if args.against is not None:
        other = read_results(args.against, keep_series=False)
        check_comparable(results.manifest, other.manifest)
        against = (other.manifest, compare(results.incidents(), other.incidents()))
    incidents = results.incidents()
    write_incidents(args.run_dir, incidents, results.manifest)
    page = render(results, library, against)
    write_text(args.run_dir / NAME, page)
    print(
        f"{args.run_dir / NAME}: {len(incidents):,} incidents on {len(results.servers):,} servers, "
        f"{len(page.encode()) / 1e6:.1f} MB; also {CSV_NAME} and {JSON_NAME}"
    )
    return 0
