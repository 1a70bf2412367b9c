"""`server-monitoring agent`: watch this server."""

import argparse
import signal
from dataclasses import replace
from pathlib import Path

from server_monitoring.agent.agent import run as run_agent
from server_monitoring.agent.config import SIGNING_KEY, load, read_key
from server_monitoring.commands import common

HELP = "sample this server's CPU, memory, network and disk, and send each sample to the topics"
EXAMPLE = "server-monitoring agent --config /etc/server-monitoring/agent.yml"
DEFAULT_CONFIG = Path("/etc/server-monitoring/agent.yml")
_ENDS = {signal.SIGTERM, signal.SIGINT}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    common.add_path(parser, "--config", f"the agent's configuration (default: {DEFAULT_CONFIG})")
    common.add_credentials(parser)
    about = (
        "64 hexadecimal digits in a file of mode 0600, where the configuration says signing "
        f"(default: {SIGNING_KEY} among the credentials that systemd gives to the unit)"
    )
    common.add_path(parser, "--signing-key", about)


def run(args: argparse.Namespace) -> int:
    """Sample and send until SIGTERM."""
    config = load(args.config or DEFAULT_CONFIG)
    config = replace(config, cluster=common.with_credentials(config.cluster, args.credentials))
    key = read_key(args.signing_key) if config.signing else None
    # Before any other thread is there, so that none of them is interrupted.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    run_agent(config, key, lambda seconds: signal.sigtimedwait(_ENDS, seconds) is not None)
    return 0
