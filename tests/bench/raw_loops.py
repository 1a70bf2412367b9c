"""The clients themselves: as fast as they send what lies in memory, and as they only poll.

Run as a process of its own, so that nothing else is in its memory or on its interpreter lock:
`raw_loops.py LOOP CLIENT SERVER MESSAGES TOPIC... [--dataset FILE]` prints the seconds it took.

`send` sends values with key and partition, made beforehand; `send-records` the same with the
headers that the app's records have. The producer is idempotent with acks=all, in the app's own
batches. `poll` polls with the client's own settings, `poll-tuned` with those of the app.
"""

import argparse
import csv
import gc
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import confluent_kafka
import kafka
from kafka.structs import TopicPartition
from server_monitoring.broker import limits
from server_monitoring.broker.clients.confluent_reader import fetch_settings
from server_monitoring.commands.common import collect_rarely
from server_monitoring.model.values import canonical_value
from server_monitoring.model.wire import ROW_HEADER, RUN_ID_HEADER, encode_value, partition_for

PARTITIONS = 3
NO_HEADERS: list[tuple[str, bytes]] = []
Message = tuple[str, bytes, bytes, int, list[tuple[str, bytes]]]


def messages(dataset: Path, topics: list[str]) -> Iterator[Message]:
    """Yield topic, value, key, partition and headers of each record, one a topic and row."""
    with dataset.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        columns = next(rows)[2:]
        for line, (ts, server_id, *values) in enumerate(rows, start=2):
            key, partition = server_id.encode(), partition_for(server_id, PARTITIONS)
            headers = [(RUN_ID_HEADER, b"bench"), (ROW_HEADER, b"%d" % line)]
            for topic, column, number in zip(topics, columns, values, strict=True):
                text = canonical_value(number)
                value = encode_value(ts, json.dumps(server_id), column, text)
                yield topic, value, key, partition, headers


def send_by_kafka_python(server: str, content: list[Message]) -> None:
    """Send by kafka-python."""
    producer = kafka.KafkaProducer(
        bootstrap_servers=server,
        enable_idempotence=True,
        acks="all",
        batch_size=limits.BATCH_BYTES,
        linger_ms=limits.LINGER_MS,
        metrics_enabled=False,
    )
    send = producer.send
    for topic, value, key, partition, headers in content:
        send(topic, value, key, headers, partition)
    producer.flush()


def send_by_confluent(server: str, content: list[Message]) -> None:
    """Send by confluent-kafka."""
    producer = confluent_kafka.Producer(
        {
            "bootstrap.servers": server,
            "enable.idempotence": True,
            "acks": "all",
            "batch.size": limits.BATCH_BYTES,
            "linger.ms": limits.LINGER_MS,
            # The loop has nothing to wait for: it must not find the queue full.
            "queue.buffering.max.messages": len(content) + 1,
        }
    )
    produce: Any = producer.produce
    for topic, value, key, partition, headers in content:
        produce(topic, value, key, partition, headers=headers)
    producer.flush()


def poll_by_kafka_python(server: str, count: int, topics: list[str], *, tuned: bool) -> float:
    """Poll by kafka-python; return the seconds from the first records to the last."""
    more = {
        "fetch_max_wait_ms": limits.FETCH_WAIT_MS,
        "max_partition_fetch_bytes": limits.PARTITION_BYTES,
        "fetch_max_bytes": limits.FETCH_BYTES,
        "metrics_enabled": False,
    }
    consumer = kafka.KafkaConsumer(
        bootstrap_servers=server,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        **(more if tuned else {}),
    )
    consumer.assign([TopicPartition(t, p) for t in topics for p in range(PARTITIONS)])
    return _drain(
        lambda: sum(map(len, consumer.poll(timeout_ms=200, max_records=10_000).values())), count
    )


def poll_by_confluent(server: str, count: int, topics: list[str], *, tuned: bool) -> float:
    """Poll by confluent-kafka; return the seconds from the first records to the last."""
    settings = fetch_settings() if tuned else {}
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": server,
            "group.id": "bench",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            **settings,
        }
    )
    partitions = itertools.product(topics, range(PARTITIONS))
    # A start without an offset asks the group for its own first.
    at_first = confluent_kafka.OFFSET_BEGINNING
    consumer.assign([confluent_kafka.TopicPartition(t, p, at_first) for t, p in partitions])
    return _drain(lambda: len(consumer.consume(10_000, 0.01)), count)


def _drain(poll: Callable[[], int], count: int) -> float:
    found = 0
    while not found:
        began = time.monotonic()
        found = poll()
    while found < count:
        found += poll()
    return time.monotonic() - began


SEND = {limits.KAFKA_PYTHON: send_by_kafka_python, limits.CONFLUENT: send_by_confluent}
POLL = {limits.KAFKA_PYTHON: poll_by_kafka_python, limits.CONFLUENT: poll_by_confluent}
LOOPS = ("send", "send-records", "poll", "poll-tuned")


def main(arguments: list[str]) -> None:
    """Run one loop and print its seconds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("loop", choices=LOOPS)
    parser.add_argument("client", choices=limits.CLIENTS)
    parser.add_argument("server")
    parser.add_argument("messages", type=int)
    parser.add_argument("topics", nargs="+")
    parser.add_argument("--dataset", type=Path)
    args = parser.parse_args(arguments)
    collect_rarely()
    if args.loop.startswith("send"):
        content = list(messages(args.dataset, args.topics))[: args.messages]
        if args.loop == "send":
            content = [(*record[:4], NO_HEADERS) for record in content]
        gc.freeze()
        began = time.monotonic()
        SEND[args.client](args.server, content)
        seconds = time.monotonic() - began
    else:
        tuned = args.loop == "poll-tuned"
        seconds = POLL[args.client](args.server, args.messages, args.topics, tuned=tuned)
    sys.stdout.write(f"{seconds}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
