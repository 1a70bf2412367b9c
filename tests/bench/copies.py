"""What three copies cost: produce and consume on three brokers, beside one broker with one copy."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial

from server_monitoring.broker.limits import CLIENTS

from tests.bench.lab import Lab
from tests.bench.measurement import Measurement
from tests.bench.turns import in_turns
from tests.kafka.kafka_cluster import KafkaCluster, kafka_cluster

HEAP = "512m"
_WAYS = {"with one copy": 1, "with three copies": 3}


@contextmanager
def open_cluster(lab: Lab, brokers: int) -> Iterator[KafkaCluster]:
    """Run brokers with heaps of HEAP, compiled as the one of `lab`; three keep three copies."""
    directory = lab.directory / f"brokers-{brokers}"
    directory.mkdir()
    with kafka_cluster(lab.broker.home, directory, brokers, heap=HEAP, java="") as cluster:
        yield cluster


def measure(lab: Lab, rows: int, rounds: int) -> list[Measurement]:
    """Return the rates of both clients either way: the median of some rounds, in turns."""
    with ExitStack() as until:
        labs = {
            way: replace(lab, broker=until.enter_context(open_cluster(lab, brokers)).members[1])
            for way, brokers in _WAYS.items()
        }
        return [figure for client in CLIENTS for figure in _of_client(labs, client, rows, rounds)]


def _of_client(labs: dict[str, Lab], client: str, rows: int, rounds: int) -> list[Measurement]:
    ways = {way: partial(lab.pipeline, client) for way, lab in labs.items()}
    dataset = next(iter(labs.values())).dataset(rows)
    return in_turns(client, ways, dataset, rounds)
