"""`server-monitoring report`: write a run's page and incident files from its results folder."""

import argparse

from server_monitoring.commands import common
from server_monitoring.errors import printable
from server_monitoring.report.files import write_report

HELP = "write report.html, incidents.csv and incidents.json into a run's results folder"
EXAMPLE = "server-monitoring report results/latest"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    common.add_run_dir(parser)
    about = "results of another run: the page lists new, gone and changed incidents too"
    common.add_path(parser, "--against", about, metavar="OTHER")


def run(args: argparse.Namespace) -> int:
    """Write the three files and print one line."""
    print(printable(write_report(args.run_dir, args.against)))
    return 0
