"""`server-monitoring detect`: find abnormal windows of live rows, for ever."""

import argparse

from server_monitoring.commands import common
from server_monitoring.detect.service import detect
from server_monitoring.settings.config import live_of
from server_monitoring.settings.signing import senders

HELP = "find a metric group's abnormal windows as agents send, and tell each once, until stopped"
EXAMPLE = "server-monitoring detect --group cpu_mem"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    common.add_group(parser)
    common.add_config(parser)
    common.add_credentials(parser)
    common.add_signing_keys(parser)


def run(args: argparse.Namespace) -> int:
    """Detect on this host's share of the group until SIGTERM."""
    stopped = common.stop_on_signals()
    common.collect_rarely()
    config = common.load_config_to_connect(args)
    whose = senders(live_of(config), args.signing_keys)
    detect(config, config.group(args.group), whose, stopped)
    return 0
