"""A producer that writes numbers without a pause, and knows which were acknowledged."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from kafka import KafkaProducer

PAUSE_SECONDS = 0.01


@dataclass
class Sent:
    """Numbers by what became of them."""

    acknowledged: list[int] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@contextmanager
def steady_producer(bootstrap: list[str], topic: str, size: int = 0) -> Iterator[Sent]:
    """Write a number every few milliseconds until the block ends, each acknowledged by all in sync.

    Args:
        bootstrap: host:port of brokers.
        topic: its partitions have their turns.
        size: bytes that each record has at least.

    """
    sent, over = Sent(), threading.Event()
    producer = KafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=0
    )
    partitions = sorted(producer.partitions_for(topic))

    def write() -> None:
        number = 0
        while not over.wait(PAUSE_SECONDS):
            partition = partitions[number % len(partitions)]
            value = str(number).zfill(size).encode()
            future = producer.send(topic, value, partition=partition)
            future.add_callback(lambda _, number=number: sent.acknowledged.append(number))
            future.add_errback(lambda error: sent.refused.append(repr(error)))
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield sent
    finally:
        over.set()
        writer.join()
        producer.flush()
        producer.close()
