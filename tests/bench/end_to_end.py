"""From the file to durable CSV with everything at once: producer, both consumers and broker.

A reference is a folder that the user prepared, outside this repository, with three executable
files: `produce SERVER FILE` sends the data set's metrics to the topics topic-cpu, topic-mem,
topic-net and topic-disk; `consume_cpu_mem SERVER` and `consume_net_disk SERVER` write what comes
to CSV files with a header, one for each of their two topics, in the folder they are started in,
and go on until they are ended. What counts is the time from the start of `produce` until all rows
are in the files.
"""

import os
import time
from pathlib import Path

from server_monitoring.broker.limits import CLIENTS, CONFLUENT, KAFKA_PYTHON

from tests.bench.clients import position
from tests.bench.lab import GROUPS, METRICS, PARTITIONS, TIMEOUT, Lab, publish_end, start_consumer
from tests.bench.lab import start_producer as start_ours
from tests.bench.measurement import Measurement
from tests.bench.processes import ProcessFailedError, Watched
from tests.kafka.kafka_broker import create_topics

BARS = {KAFKA_PYTHON: 3.0, CONFLUENT: 10.0}
REFERENCE = "reference, file to CSV"
_JOIN_SECONDS = 5.0
_LOOK_SECONDS = 0.1


def measure(lab: Lab, rows: int, reference: Path | None) -> list[Measurement]:
    """Return the messages a second of both clients, and of the reference where there is one."""
    found = []
    if reference is not None:
        rate = _reference_rate(lab, rows, reference)
        found.append(Measurement(REFERENCE, "messages/s", rate, None, None, at_most=False))
    base = REFERENCE if reference is not None else None
    for client in CLIENTS:
        rate = _rate(lab, client, rows)
        bar = BARS[client] if base else None
        name = f"{client} all at once, file to durable CSV"
        found.append(Measurement(name, "messages/s", rate, base, bar, at_most=False))
    return found


def _rate(lab: Lab, client: str, rows: int) -> float:
    pipeline = lab.pipeline(client)
    position(pipeline)
    consumers = [start_consumer(pipeline, group) for group in GROUPS]
    for consumer in consumers:
        consumer.moment("ready: ")
    producer = start_ours(pipeline, lab.dataset(rows))
    producer.wait(TIMEOUT)
    publish_end(pipeline)
    for consumer in consumers:
        consumer.wait(TIMEOUT)
    last = max(consumer.ended or 0.0 for consumer in consumers)
    return rows * METRICS / (last - producer.began)


def _reference_rate(lab: Lab, rows: int, reference: Path) -> float:
    names = ["topic-cpu", "topic-mem", "topic-net", "topic-disk"]
    create_topics(lab.broker.address, dict.fromkeys(names, PARTITIONS))
    folders = {group: lab.directory / f"reference-{group}" for group in GROUPS}
    consumers = []
    for group, folder in folders.items():
        folder.mkdir()
        command = [str(reference / f"consume_{group}"), lab.broker.address]
        consumers.append(Watched(command, os.environ, folder))
    time.sleep(_JOIN_SECONDS)
    try:
        command = [str(reference / "produce"), lab.broker.address, str(lab.dataset(rows))]
        producer = Watched(command, os.environ)
        producer.wait(TIMEOUT)
        wanted = len(names) * (rows + 1)
        deadline = time.monotonic() + TIMEOUT
        while (found := sum(map(_lines, folders.values()))) < wanted:
            if time.monotonic() > deadline:
                reason = f"{found} lines after {TIMEOUT} s, expected {wanted}"
                raise ProcessFailedError(producer.command, reason)
            time.sleep(_LOOK_SECONDS)
        return rows * METRICS / (time.monotonic() - producer.began)
    finally:
        for consumer in consumers:
            consumer.end()


def _lines(folder: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("*.csv"))
