"""`server-monitoring simulate`: write a made-up data set whose incidents are known."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from server_monitoring.commands import common
from server_monitoring.host.durable import replace_file
from server_monitoring.model.csv_text import csv_row
from server_monitoring.simulate.plan import TRUTH_HEADER, Plan, Simulation

HELP = "write a made-up data set and, beside it, the incidents that the analysis must find"
EXAMPLE = "server-monitoring simulate --out metrics.csv --servers 50 --seconds 7200"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    about = "CSV file to write; its incidents go to FILE with the ending .incidents.csv"
    common.add_path(parser, "--out", about, required=True)
    for name, default, about in (
        ("servers", 20, "how many servers"),
        ("seconds", 3_600, "how much time, from the setting start on, or from 00:00:00"),
        ("interval", 10, "seconds between two rows of a server"),
        ("incidents", 2, "how many incidents of each label of each metric group"),
    ):
        parser.add_argument(
            f"--{name}",
            type=_count,
            default=default,
            metavar="N",
            help=f"{about} (default: {default})",
        )
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        metavar="N",
        help="the same seed and settings give the same files (default: 1)",
    )
    common.add_config(parser)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= 10**9:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a whole number above 0")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Write both files and print one line."""
    config = common.load_config(args)
    plan = Plan(args.servers, args.seconds, args.interval, args.incidents, args.seed)
    simulation = Simulation(config, plan)
    truth: Path = args.out.with_suffix(".incidents.csv")
    rows = write_rows(args.out, simulation.header(), simulation.rows())
    incidents = write_rows(truth, TRUTH_HEADER, simulation.truth())
    print(
        f"wrote {rows} rows of {args.servers} servers to {args.out}, "
        f"and {incidents} incidents to {truth}"
    )
    return 0


def write_rows(path: Path, header: list[str], rows: Iterable[list[str]]) -> int:
    """Write a CSV file, whole or not at all, and return its number of rows."""
    count = 0

    def fill(temporary: Path) -> None:
        nonlocal count
        with temporary.open("w", encoding="utf-8", newline="") as out:
            out.write(csv_row(header))
            for row in rows:
                out.write(csv_row(row))
                count += 1

    replace_file(path, fill)
    return count
