"""What TLS and SCRAM cost: produce and consume by them, beside plain text to the same broker."""

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from server_monitoring.broker.cluster import PLAINTEXT
from server_monitoring.broker.limits import CLIENTS

from tests.bench.clients import own_rate, position, start_and_wait
from tests.bench.lab import GROUPS, HEAP, TIMEOUT, Lab, publish_end, start_producer
from tests.bench.measurement import Measurement
from tests.kafka.kafka_broker import free_port
from tests.kafka.secure_broker import SecureBroker

BAR = 0.6
PLAIN, SECURE = "plain text", "TLS and SCRAM"
_WAYS = (PLAIN, SECURE)
_STEPS = ("produce", "consume")


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
    rates: dict[tuple[str, str], list[float]] = {(s, w): [] for s in _STEPS for w in _WAYS}
    for _ in range(rounds):
        for way in _WAYS:
            for step, rate in zip(_STEPS, _round(lab, client, way, rows), strict=True):
                rates[step, way].append(rate)
    return [_figure(client, step, way, median(found)) for (step, way), found in rates.items()]


def _round(lab: Lab, client: str, way: str, rows: int) -> tuple[float, float]:
    """Return the messages a second that were produced and consumed."""
    plain = {
        "bootstrap_servers": [lab.broker.address],
        "kafka_security": {"protocol": PLAINTEXT},
    }
    pipeline = lab.pipeline(client, **(plain if way == PLAIN else {}))
    position(pipeline)
    start_producer(pipeline, lab.dataset(rows)).wait(TIMEOUT)
    publish_end(pipeline)
    stored = min(start_and_wait(pipeline, group)[0] for group in GROUPS)
    return own_rate(pipeline, "produce"), stored


def _figure(client: str, step: str, way: str, rate: float) -> Measurement:
    def name(way: str) -> str:
        return f"{client} {step} by {way}"

    base, bar = (name(PLAIN), BAR) if way == SECURE else (None, None)
    return Measurement(name(way), "messages/s", rate, base, bar, at_most=False)
