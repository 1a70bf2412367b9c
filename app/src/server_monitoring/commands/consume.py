"""`server-monitoring consume`: store a group's records, of one run or of agents."""

import argparse

from server_monitoring.commands import common
from server_monitoring.consume.consumption import consume
from server_monitoring.consume.live_consumption import consume_live
from server_monitoring.settings.config import live_of
from server_monitoring.settings.signing import senders

HELP = (
    "store a metric group's records in raw CSV segments, up to a run's end offsets, or of agents "
    "for ever"
)
EXAMPLE = "server-monitoring consume --run-id 2024-05-01 --group cpu_mem"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    whose = parser.add_mutually_exclusive_group(required=True)
    common.add_run_id(whose, required=False)
    whose.add_argument(
        "--live",
        action="store_true",
        help="store what agents send, by the UTC day of each row, until SIGTERM",
    )
    common.add_group(parser)
    common.add_config(parser)
    common.add_credentials(parser)
    common.add_signing_keys(parser)


def run(args: argparse.Namespace) -> int:
    """Store records until the end offsets or SIGTERM, and write consume-GROUP.json."""
    stopped = common.stop_on_signals()
    common.collect_rarely()
    config = common.load_config_to_connect(args)
    group = config.group(args.group)
    if args.live:
        consume_live(config, group, senders(live_of(config), args.signing_keys), stopped)
    else:
        consume(config, common.open_run(args, config), group, stopped)
    return 0
