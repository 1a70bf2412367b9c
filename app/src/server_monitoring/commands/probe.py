"""`server-monitoring probe`: produce one record and read it back."""

import argparse

from server_monitoring.commands import common
from server_monitoring.config import parse_server
from server_monitoring.errors import UsageError

HELP = "produce one record to a topic of its own and read it back"
EXAMPLE = "server-monitoring probe --bootstrap-servers 172.29.0.1:9092"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--bootstrap-servers",
        metavar="HOST:PORT,...",
        help="brokers to ask (default: those of the configuration)",
    )
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Probe the brokers and print one line."""
    # Kafka's client is not there in the analysis venv.
    from server_monitoring.probe import PROBE_TOPIC, probe  # noqa: PLC0415

    if args.bootstrap_servers is None:
        servers = common.load_config(args).bootstrap_servers
    else:
        servers = tuple(args.bootstrap_servers.split(","))
        for server in servers:
            if not parse_server(server):
                raise UsageError(f"--bootstrap-servers: found {server!r}, expected host:port")
    answer = probe(servers)
    print(
        f"broker {','.join(servers)} answers: topic {PROBE_TOPIC}, offset {answer.offset}, "
        f"produced and read back in {answer.seconds * 1000:.0f} ms"
    )
    return 0
