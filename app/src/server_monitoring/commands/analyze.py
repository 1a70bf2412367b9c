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
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Analyze one group and write analyze-GROUP.json."""
    config = common.load_config(args)
    group = config.group(args.group)
    analyze(config, common.open_run(args, config), group)
    return 0
