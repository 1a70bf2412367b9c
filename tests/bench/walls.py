"""What TLS and SCRAM cost: produce and consume by them, beside plain text to the same broker."""

from collections.abc import Iterator
from contextlib import contextmanager

from server_monitoring.broker.cluster import PLAINTEXT
from server_monitoring.broker.limits import CLIENTS

from tests.bench.lab import HEAP, Lab
from tests.bench.measurement import Measurement
from tests.bench.turns import in_turns
from tests.kafka.kafka_broker import Pipeline, free_port
from tests.kafka.secure_broker import SecureBroker

BAR = 0.6


def measure(lab: Lab, rows: int, rounds: int) -> list[Measurement]:
    """Return the rates of both clients either way: the median of some rounds, in turns."""
    with _open(lab) as secured:
        return [
            figure for client in CLIENTS for figure in _of_client(secured, client, rows, rounds)
        ]


@contextmanager
def _open(lab: Lab) -> Iterator[Lab]:
    """Start a broker that listens both ways; the data sets are those of `lab`."""
    directory = lab.directory / "secured"
    directory.mkdir()
    broker = SecureBroker(lab.broker.home, directory, free_port(), HEAP)
    broker.format()
    broker.start()
    try:
        yield Lab(lab.directory, broker, lab.slow_port, lab.slow_listener)
    finally:
        broker.stop(hard=True)


def _of_client(lab: Lab, client: str, rows: int, rounds: int) -> list[Measurement]:
    def plain() -> Pipeline:
        return lab.pipeline(
            client,
            bootstrap_servers=[lab.broker.address],
            kafka_security={"protocol": PLAINTEXT},
        )

    ways = {"by plain text": plain, "by TLS and SCRAM": lambda: lab.pipeline(client)}
    return in_turns(client, ways, lab.dataset(rows), rounds, BAR)
