"""`server-monitoring analyze`: compute a group's alert table with Spark."""

import argparse

from server_monitoring.analysis.attempt import analyze
from server_monitoring.commands import common

HELP = "compute a metric group's alert table from its raw segments, with Spark"
EXAMPLE = (
    "spark-submit --master local[2] .../server_monitoring/__main__.py "
    "analyze --run-id 2024-05-01 --group cpu_mem"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    common.add_run_id(parser)
    common.add_group(parser)
    parser.add_argument(
        "--wait",
        type=lambda text: common.not_negative(text, "not at all"),
        default=0,
        metavar="SECONDS",
        help="start Spark at once, also while rows are still sent, and wait at most so long until "
        "the group's consumer on this host is at the run's end (default: 0, it is there already)",
    )
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Analyze one group and write analyze-GROUP.json."""
    config = common.load_config(args)
    group = config.group(args.group)
    analyze(config, common.open_run(args, config), group, args.wait)
    return 0
