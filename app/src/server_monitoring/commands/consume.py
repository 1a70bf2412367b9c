"""`server-monitoring consume`: store a group's records of one run."""

import argparse
import signal

from server_monitoring.commands import common
from server_monitoring.consume.consumption import consume

HELP = "store a metric group's records in raw CSV segments, up to the run's end offsets"
EXAMPLE = "server-monitoring consume --run-id 2024-05-01 --group cpu_mem"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    common.add_run_id(parser)
    common.add_group(parser)
    common.add_config(parser)
    common.add_credentials(parser)


def run(args: argparse.Namespace) -> int:
    """Store records until the end offsets or SIGTERM; write consume-GROUP.json at the end."""
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stop.append(number))
    signal.signal(signal.SIGINT, lambda number, _: stop.append(number))
    common.collect_rarely()
    config = common.load_config_to_connect(args)
    run_files = common.open_run(args, config)
    consume(config, run_files, config.group(args.group), lambda: bool(stop))
    return 0
