"""Kafka's own measuring tools, in Java: what the broker of this machine can do."""

import csv
import uuid

from server_monitoring.broker import limits

from tests.bench.lab import PARTITIONS, TIMEOUT, Lab
from tests.bench.measurement import Measurement
from tests.bench.processes import ProcessFailedError, Watched
from tests.kafka.kafka_broker import create_topics

# As large as a record of the app with key and headers.
RECORD_BYTES = 110


def measure(lab: Lab, messages: int) -> list[Measurement]:
    """Return the rates of kafka-producer-perf-test and kafka-consumer-perf-test."""
    topic = f"perf-{uuid.uuid4().hex[:8]}"
    create_topics(lab.broker.address, {topic: PARTITIONS})
    sent = _run(
        lab,
        "kafka-producer-perf-test.sh",
        f"--topic={topic}",
        f"--num-records={messages}",
        f"--record-size={RECORD_BYTES}",
        "--throughput=-1",
        "--command-property",
        f"bootstrap.servers={lab.broker.address}",
        "acks=all",
        f"batch.size={limits.BATCH_BYTES}",
        f"linger.ms={limits.LINGER_MS}",
    )
    read = _run(
        lab,
        "kafka-consumer-perf-test.sh",
        f"--bootstrap-server={lab.broker.address}",
        f"--topic={topic}",
        f"--num-records={messages}",
    )
    rate = "messages/s"
    return [
        Measurement("Kafka's producer-perf-test", rate, sent_rate(sent), None, None, at_most=False),
        Measurement("Kafka's consumer-perf-test", rate, read_rate(read), None, None, at_most=False),
    ]


def _run(lab: Lab, tool: str, *arguments: str) -> str:
    command = [str(lab.broker.home / "bin" / tool), *arguments]
    process = Watched(command, lab.broker.environment())
    process.wait(TIMEOUT)
    return process.out


def sent_rate(out: str) -> float:
    """Return the records a second in the producer tool's last line.

    Raises:
        ProcessFailedError: it is not there.

    """
    for line in reversed(out.splitlines()):
        for part in line.split(","):
            if "records/sec" in part:
                return float(part.split()[0])
    found = f"found {out[-200:]!r}, expected records/sec"
    raise ProcessFailedError(["kafka-producer-perf-test"], found)


def read_rate(out: str) -> float:
    """Return the records a second, without the time to join, in the consumer tool's table.

    Raises:
        ProcessFailedError: it is not there.

    """
    lines = [line for line in out.splitlines() if "," in line]
    for row in csv.DictReader(lines, skipinitialspace=True):
        if rate := row.get("fetch.nMsg.sec"):
            return float(rate)
    found = f"found {out[-200:]!r}, expected fetch.nMsg.sec"
    raise ProcessFailedError(["kafka-consumer-perf-test"], found)
