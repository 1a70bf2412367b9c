"""Send a data set: one record per metric and row, all of it or a reason with the row's line.

Guarantee: the producer is idempotent and waits for all in-sync replicas; when `produce` returns,
each good row is in each topic exactly once, and a server's rows lie in its partition in the
file's order. Void if the command is started a second time with the same run id.
"""

import json
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from server_monitoring.broker import (
    DELIVERY_SECONDS,
    TopicPartition,
    open_producer,
    translated,
)
from server_monitoring.config import Config, Metric
from server_monitoring.dataset import Row
from server_monitoring.errors import BrokerError, one_line
from server_monitoring.reader import Reader
from server_monitoring.records import ROW_HEADER, RUN_ID_HEADER, encode_value, partition_for

ROWS_PER_CHUNK = 2_000
CHUNKS_IN_FLIGHT = 4

Send = Callable[..., Any]


@dataclass
class Sent:
    """What was sent and acknowledged.

    Attributes:
        rows: records by topic.
        end_offsets: next offset by topic and partition, after the last record.

    """

    rows: dict[str, int]
    end_offsets: dict[str, dict[str, int]]


def partition_counts(servers: tuple[str, ...], metrics: Iterable[Metric]) -> dict[str, int]:
    """Return how many partitions each metric's topic has.

    Raises:
        BrokerError: the broker does not answer, or a topic is missing.

    """
    with Reader(servers) as reader:
        return {metric.topic: reader.partitions(metric.topic) for metric in metrics}


def produce(
    config: Config,
    run_id: str,
    rows: Iterable[Row],
    partitions: dict[str, int],
    progress: Callable[[int], None],
) -> Sent:
    """Send `rows` and wait until the broker has them all.

    Args:
        config: the brokers and metrics; a row's values are in the order of `config.metrics()`.
        run_id: goes into each record's headers.
        rows: good rows, canonical.
        partitions: partitions by topic.
        progress: called with the number of acknowledged rows, after each chunk.

    Raises:
        BrokerError: the broker stopped answering, or refused a record (its line is named).

    """
    servers, metrics = config.bootstrap_servers, config.metrics()
    iterator = iter(rows)
    in_flight: deque[tuple[list[Row], list[Any]]] = deque()
    settled = 0
    with open_producer(servers) as producer:
        while chunk := list(islice(iterator, ROWS_PER_CHUNK)):
            with translated(servers, f"sending from line {chunk[0].line} on"):
                futures = _send(producer.send, run_id, chunk, metrics, partitions)
            in_flight.append((chunk, futures))
            if len(in_flight) > CHUNKS_IN_FLIGHT:
                settled += _settle(*in_flight.popleft(), metrics)
                progress(settled)
        with translated(servers, "waiting for the last acknowledgements"):
            producer.flush(timeout=DELIVERY_SECONDS + 5)
        while in_flight:
            settled += _settle(*in_flight.popleft(), metrics)
        progress(settled)
    rows_by_topic = {metric.topic: settled for metric in metrics}
    return Sent(rows_by_topic, _end_offsets(servers, partitions))


def _end_offsets(servers: tuple[str, ...], partitions: dict[str, int]) -> dict[str, dict[str, int]]:
    topic_partitions = [TopicPartition(t, p) for t, n in partitions.items() for p in range(n)]
    with Reader(servers) as reader:
        ends = reader.end_offsets(topic_partitions)
    by_topic: dict[str, dict[str, int]] = {topic: {} for topic in partitions}
    for tp in topic_partitions:
        by_topic[tp.topic][str(tp.partition)] = ends[tp]
    return by_topic


@lru_cache(maxsize=100_000)
def _server_id_forms(server_id: str) -> tuple[bytes, str]:
    return server_id.encode(), json.dumps(server_id)


def _send(
    send: Send, run_id: str, chunk: list[Row], metrics: list[Metric], partitions: dict[str, int]
) -> list[Any]:
    run_header = (RUN_ID_HEADER, run_id.encode())
    targets = [(m.topic, m.column, partitions[m.topic]) for m in metrics]
    futures: list[Any] = []
    keep = futures.append
    for line, ts, server_id, values in chunk:
        key, quoted = _server_id_forms(server_id)
        headers = [run_header, (ROW_HEADER, b"%d" % line)]
        for (topic, column, count), value in zip(targets, values, strict=True):
            keep(
                send(
                    topic,
                    encode_value(ts, quoted, column, value),
                    key,
                    headers,
                    partition_for(server_id, count),
                )
            )
    return futures


def _settle(chunk: list[Row], futures: list[Any], metrics: list[Metric]) -> int:
    """Wait for a chunk's acknowledgements; return its number of rows."""
    for index, future in enumerate(futures):
        if future.is_done and not future.failed():
            continue
        row, metric = chunk[index // len(metrics)], metrics[index % len(metrics)]
        try:
            future.get(timeout=DELIVERY_SECONDS + 5)
        except Exception as error:
            raise BrokerError(
                f"topic {metric.topic}: the record of line {row.line} was not accepted: "
                f"{one_line(error, 160) or type(error).__name__}; see the broker's log, then start "
                "a new run"
            ) from error
    return len(chunk)
