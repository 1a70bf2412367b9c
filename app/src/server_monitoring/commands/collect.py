"""`server-monitoring collect`: put a run's results together on the control machine."""

import argparse

from server_monitoring.commands import common
from server_monitoring.errors import printable
from server_monitoring.report.export import CSV_NAME
from server_monitoring.report.files import write_report
from server_monitoring.report.page import NAME
from server_monitoring.report.run_table import run_table
from server_monitoring.results.collect import collect

HELP = "make a run's tables, manifest and page from what its hosts brought into the results folder"
EXAMPLE = "server-monitoring collect results/2024-05-01 --facts facts.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    common.add_run_dir(parser)
    about = "what the run's hosts said of it, as JSON: settings, and the summary of each command"
    common.add_path(parser, "--facts", about, required=True)


def run(args: argparse.Namespace) -> int:
    """Write tables and manifest, print the run as a short table, then write the page."""
    manifest = collect(args.run_dir, args.facts)
    print(run_table(manifest.facts), flush=True)
    write_report(args.run_dir)
    print()
    print(printable(f"Incidents: {args.run_dir / CSV_NAME}"))
    print(printable(f"Page: {args.run_dir / NAME}"))
    return 0
