"""`server-monitoring probe`: ask the broker, as a client would, whether it is fit for a run."""

import argparse

from server_monitoring.broker.client import client_for
from server_monitoring.broker.cluster import Cluster, parse_server
from server_monitoring.broker.probe import probe
from server_monitoring.commands import common
from server_monitoring.consume.assignment import assigned_partitions
from server_monitoring.errors import UsageError
from server_monitoring.model.groups import Share
from server_monitoring.model.names import PROBE_TOPIC
from server_monitoring.settings.config import Config

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
    about = "with --bootstrap-servers: use TLS, and trust these authorities (default: plain text)"
    common.add_path(parser, "--ca-file", about)
    common.add_config(parser)
    common.add_credentials(parser)


def _named(args: argparse.Namespace) -> Cluster:
    """Return the brokers that the command line names."""
    servers = tuple(args.bootstrap_servers.split(","))
    for server in servers:
        if not parse_server(server):
            raise UsageError(f"--bootstrap-servers: found {server!r}, expected host:port")
    return Cluster(servers, args.ca_file)


def run(args: argparse.Namespace) -> int:
    """Probe the brokers and print one line."""
    if args.bootstrap_servers is None:
        config = common.load_config_to_connect(args)
        cluster = config.cluster
        answer = probe(cluster, config.kafka_client, config.compression)
        check_topics(config)
    else:
        cluster = common.with_credentials(_named(args), args.credentials)
        answer = probe(cluster)
    print(
        f"broker {','.join(cluster.servers)} answers: topic {PROBE_TOPIC}, offset {answer.offset}, "
        f"produced and read back in {answer.seconds * 1000:.0f} ms"
    )
    return 0


def check_topics(config: Config) -> None:
    """Look for every topic of the configuration.

    Raises:
        BrokerError: one is missing, or those of a group differ in their number of partitions.

    """
    with client_for(config.kafka_client).open_reader(config.cluster) as reader:
        for group in config.groups.values():
            assigned_partitions(reader, group, Share(index=0, hosts=1))
