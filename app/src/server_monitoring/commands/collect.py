"""`server-monitoring collect`: put a run's or a day's results together on the control machine."""

import argparse

from server_monitoring.commands import common
from server_monitoring.errors import printable
from server_monitoring.host.runs import checked_day
from server_monitoring.report.export import CSV_NAME
from server_monitoring.report.files import write_report
from server_monitoring.report.page import NAME
from server_monitoring.report.run_table import run_table
from server_monitoring.results.books import BOOKS, line
from server_monitoring.results.collect import collect
from server_monitoring.results.day import collect_day

HELP = "make a run's tables, manifest and page from what its hosts brought into the results folder"
EXAMPLE = "server-monitoring collect results/2024-05-01 --facts facts.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    common.add_run_dir(parser)
    about = "what the run's hosts said of it, as JSON: settings, and the summary of each command"
    common.add_path(parser, "--facts", about, required=True)
    common.add_day(
        parser, "the folder is of this day of agents' rows, with its books", required=False
    )


def run(args: argparse.Namespace) -> int:
    """Write tables and manifest, print the run as a short table, then write the page."""
    if args.day:
        day = checked_day(args.day)
        _, books = collect_day(args.run_dir, day, args.facts)
        print(line(day, books), flush=True)
    else:
        manifest = collect(args.run_dir, args.facts)
        print(run_table(manifest.facts), flush=True)
    write_report(args.run_dir)
    print()
    print(printable(f"Incidents: {args.run_dir / CSV_NAME}"))
    print(printable(f"Page: {args.run_dir / NAME}"))
    if args.day:
        print(printable(f"Books: {args.run_dir / BOOKS}"))
    return 0
