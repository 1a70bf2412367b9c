"""Producing and consuming by each client, beside the client's own loop without the app."""

import json

from server_monitoring.broker.limits import CLIENTS, CONFLUENT, KAFKA_PYTHON

from tests.bench.lab import (
    GROUPS,
    METRICS,
    RUN_ID,
    TIMEOUT,
    Lab,
    publish_end,
    start_consumer,
    start_producer,
    start_script,
    topics,
)
from tests.bench.measurement import Measurement
from tests.kafka.kafka_broker import Pipeline

PRODUCE_BARS = {KAFKA_PYTHON: 0.65, CONFLUENT: 0.35}
CONSUME_BAR = 0.6
MEMORY_BAR = 200.0
_SENDS = {
    "send": "loop that only sends values",
    "send-records": "loop that only sends values with the app's headers",
}
_POLLS = {
    "poll": "loop that only polls",
    "poll-tuned": "loop that only polls, with the app's settings",
}


def measure(lab: Lab, rows: int) -> list[Measurement]:
    """Return rates and peak memory of both clients for a data set of `rows` rows."""
    return [figure for client in CLIENTS for figure in _of_client(lab, client, rows)]


def _of_client(lab: Lab, client: str, rows: int) -> list[Measurement]:
    ours = lab.pipeline(client)
    position(ours)
    count = rows * METRICS
    loops = {loop: _raw_loop(lab, loop, client, rows, lab.pipeline(client)) for loop in _SENDS}
    producer = start_producer(ours, lab.dataset(rows))
    whole = count / producer.wait(TIMEOUT)
    sent = own_rate(ours, "produce")
    publish_end(ours)
    loops |= {loop: _raw_loop(lab, loop, client, rows, ours) for loop in _POLLS}
    consumers = [start_and_wait(ours, group) for group in GROUPS]
    stored = min(rate for rate, _ in consumers)
    peak = max(peak for _, peak in consumers)
    bar = PRODUCE_BARS[client]
    produce, consume = "produce, file to acked", "consume, topic to durable CSV"
    send, poll = _name(client, "send"), _name(client, "poll")
    return [
        *(_figure(_name(client, loop), "messages/s", rate) for loop, rate in loops.items()),
        Measurement(f"{client} {produce}", "messages/s", sent, send, bar, at_most=False),
        _figure(
            f"{client} produce, from start to exit, checking the file first", "messages/s", whole
        ),
        Measurement(f"{client} {consume}", "messages/s", stored, poll, CONSUME_BAR, at_most=False),
        _memory(f"{client} producer memory", producer.peak),
        _memory(f"{client} consumer memory", peak),
    ]


def _name(client: str, loop: str) -> str:
    return f"{client} {(_SENDS | _POLLS)[loop]}"


def _figure(name: str, unit: str, value: float) -> Measurement:
    return Measurement(name, unit, value, None, None, at_most=False)


def _memory(name: str, mib: float) -> Measurement:
    return Measurement(name, "MiB", mib, None, MEMORY_BAR, at_most=True)


def position(pipeline: Pipeline) -> None:
    """Let the consumers of both groups begin at the present ends of their topics."""
    for group in GROUPS:
        consumer = start_consumer(pipeline, group)
        consumer.moment("ready: ")
        consumer.end()


def start_and_wait(pipeline: Pipeline, group: str) -> tuple[float, float]:
    """Let a consumer store what is there; return its messages a second, and its peak in MiB.

    By its own clock: from before the poll that gave the first records until all was durable.
    """
    consumer = start_consumer(pipeline, group)
    consumer.wait(TIMEOUT)
    return own_rate(pipeline, f"consume-{group}"), consumer.peak


def own_rate(pipeline: Pipeline, command: str) -> float:
    """Return the messages a second of all topics together, as a command's summary has them.

    A producer's time is from the first row that it reads to send until the last acknowledgement.
    """
    path = pipeline.run_directory(RUN_ID) / f"{command}.json"
    rates = json.loads(path.read_text(encoding="utf-8"))["messages_per_second"]
    return float(sum(rates.values()))


def _raw_loop(lab: Lab, loop: str, client: str, rows: int, pipeline: Pipeline) -> float:
    """Return the messages a second of a client's own loop, over all topics or one group's."""
    group = None if loop in _SENDS else GROUPS[0]
    count = rows * METRICS if group is None else rows * METRICS // len(GROUPS)
    script = start_script(
        "raw_loops.py",
        loop,
        client,
        lab.broker.address,
        str(count),
        *topics(pipeline, group),
        f"--dataset={lab.dataset(rows)}",
        lab=lab,
    )
    script.wait(TIMEOUT)
    return count / float(script.out)
