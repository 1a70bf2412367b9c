"""`server-monitoring analyze`: compute a group's alert table of a run or a day with Spark."""

import argparse

from server_monitoring.analysis.attempt import analyze
from server_monitoring.commands import common
from server_monitoring.host.runs import Day, checked_day

HELP = "compute a metric group's alert table from its raw segments, with Spark"
EXAMPLE = (
    "spark-submit --master local[2] .../server_monitoring/__main__.py "
    "analyze --run-id 2024-05-01 --group cpu_mem"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    whose = parser.add_mutually_exclusive_group(required=True)
    common.add_run_id(whose, required=False)
    common.add_day(whose, "analyze the rows of agents of this day", required=False)
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
    if args.day:
        analyze(config, Day.of(config.data_dir, checked_day(args.day)), group)
    else:
        analyze(config, common.open_run(args, config), group, args.wait)
    return 0
