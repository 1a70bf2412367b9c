"""Ask the broker, as a client would: produce one record to a topic of its own and read it back."""

import time
import uuid
from dataclasses import dataclass

from server_monitoring.broker.client import client_for
from server_monitoring.broker.cluster import Cluster
from server_monitoring.broker.limits import (
    CONNECT_SECONDS,
    KAFKA_PYTHON,
    LEAST_TIMEOUT,
    NO_COMPRESSION,
)
from server_monitoring.broker.reader import TopicPartition
from server_monitoring.errors import BrokerError
from server_monitoring.model.names import PROBE_TOPIC


@dataclass(frozen=True)
class Answer:
    """Where the probe's record landed and how long producing and reading it took."""

    offset: int
    created: bool
    seconds: float


def probe(
    cluster: Cluster, client_name: str = KAFKA_PYTHON, compression: str = NO_COMPRESSION
) -> Answer:
    """Produce one record, compressed as those of a run, and read it back.

    The broker has to unpack it: one that cannot load the library for that refuses every batch.

    Raises:
        BrokerError: the broker does not answer, refuses, or does not return the record.

    """
    client = client_for(client_name)
    created = client.create_topic(cluster, PROBE_TOPIC)
    # Long enough for clients to compress it, and short enough for the topic of PROBE_CONFIGS.
    token = uuid.uuid4().hex.encode() * 16
    start = time.monotonic()
    doing = "producing the probe's record"
    with (
        client.open_producer(cluster, LEAST_TIMEOUT, compression) as producer,
        client.translated(cluster, doing, f"Write on topic {PROBE_TOPIC}"),
    ):
        future = producer.send(PROBE_TOPIC, token, None, [], 0)
        offset = int(future.get(timeout=CONNECT_SECONDS).offset)
    tp = TopicPartition(PROBE_TOPIC, 0)
    with client.open_reader(cluster) as reader:
        records = reader.start({tp: offset})
        deadline = time.monotonic() + CONNECT_SECONDS
        while time.monotonic() < deadline:
            if any(record.value == token for record in records.get(tp, [])):
                return Answer(offset, created, time.monotonic() - start)
            records = reader.poll(200, 500)
    raise BrokerError(
        f"topic {PROBE_TOPIC}: the record at offset {offset} was accepted but not returned "
        f"within {CONNECT_SECONDS} s by broker {cluster}; see the broker's log"
    )
