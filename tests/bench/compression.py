"""Each codec over a link of 100 Mbit/s: what the setting pipeline_compression is worth."""

from server_monitoring.broker.limits import CLIENTS, COMPRESSIONS, NO_COMPRESSION

from tests.bench.clients import own_rate, position, start_and_wait
from tests.bench.lab import GROUPS, TIMEOUT, Lab, publish_end, start_producer
from tests.bench.measurement import Measurement
from tests.bench.throttle import throttled

BITS_PER_SECOND = 100e6


def measure(lab: Lab, rows: int) -> list[Measurement]:
    """Return the rates of both clients with each codec, beside those without."""
    found: list[Measurement] = []
    with throttled(lab.slow_port, lab.slow_listener, BITS_PER_SECOND):
        for client in CLIENTS:
            for codec in COMPRESSIONS:
                found += _with_codec(lab, client, codec, rows)
    return found


def _with_codec(lab: Lab, client: str, codec: str, rows: int) -> list[Measurement]:
    address = f"127.0.0.1:{lab.slow_port}"
    pipeline = lab.pipeline(client, compression=codec, bootstrap_servers=[address])
    position(pipeline)
    start_producer(pipeline, lab.dataset(rows)).wait(TIMEOUT)
    sent = own_rate(pipeline, "produce")
    publish_end(pipeline)
    stored = min(start_and_wait(pipeline, group)[0] for group in GROUPS)
    return [
        _figure(client, codec, "produce", sent),
        _figure(client, codec, "consume", stored),
    ]


def _figure(client: str, codec: str, what: str, rate: float) -> Measurement:
    def name(codec: str) -> str:
        return f"{client} {what} over 100 Mbit/s, {codec}"

    base = None if codec == NO_COMPRESSION else name(NO_COMPRESSION)
    return Measurement(name(codec), "messages/s", rate, base, None, at_most=False)
