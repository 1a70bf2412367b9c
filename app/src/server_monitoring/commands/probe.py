"""`server-monitoring probe`: ask the broker, as a client would, whether it is fit for a run."""

import argparse

from server_monitoring.commands import common
from server_monitoring.config import parse_server
from server_monitoring.errors import UsageError
from server_monitoring.probe import PROBE_TOPIC, check_topics, probe

HELP = "produce one record to a topic of its own, read it back, and look for the run's topics"
EXAMPLE = "server-monitoring probe"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--bootstrap-servers",
        metavar="HOST:PORT,...",
        help="brokers to ask, without looking for topics (default: brokers and topics of the "
        "configuration)",
    )
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Probe the brokers and print one line."""
    config = common.load_config(args) if args.bootstrap_servers is None else None
    if config is not None:
        servers = config.bootstrap_servers
    else:
        servers = tuple(args.bootstrap_servers.split(","))
        for server in servers:
            if not parse_server(server):
                raise UsageError(f"--bootstrap-servers: found {server!r}, expected host:port")
    answer = probe(servers, config.kafka_client) if config else probe(servers)
    if config is not None:
        check_topics(config)
    print(
        f"broker {','.join(servers)} answers: topic {PROBE_TOPIC}, offset {answer.offset}, "
        f"produced and read back in {answer.seconds * 1000:.0f} ms"
    )
    return 0
