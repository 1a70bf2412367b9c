"""kafka-python: pure Python, the default."""

import contextlib
import time
from collections.abc import Iterator

import kafka
from kafka.admin import KafkaAdminClient
from kafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    TopicAlreadyExistsError,
)

from server_monitoring.broker import client as broker
from server_monitoring.broker import failures, limits
from server_monitoring.broker.clients.kafka_python_common import (
    admin_options,
    options,
    refusal,
    translated,
)
from server_monitoring.broker.clients.kafka_python_reader import KafkaPythonReader
from server_monitoring.broker.cluster import Cluster
from server_monitoring.broker.limits import CONNECT_SECONDS

ERROR, TIMEOUT = KafkaError, KafkaTimeoutError
open_reader = KafkaPythonReader
__all__ = [
    "ERROR",
    "TIMEOUT",
    "create_topic",
    "description",
    "open_producer",
    "open_reader",
    "refusal",
    "translated",
]


def description() -> str:
    """Return the client's name and version."""
    return f"kafka-python {kafka.__version__}"


def create_topic(cluster: Cluster, topic: str) -> bool:
    """Create a one-partition topic that keeps records for an hour; False if it was there.

    Raises:
        BrokerError: the broker does not answer or refuses.

    """
    with translated(cluster, f"creating topic {topic}", f"Create on topic {topic}"):
        admin = KafkaAdminClient(**admin_options(cluster))
        try:
            if topic in admin.list_topics():
                return False
            configs = {"retention.ms": str(limits.PROBE_RETENTION_MS)}
            options = {"num_partitions": 1, "configs": configs}
            with contextlib.suppress(TopicAlreadyExistsError):
                admin.create_topics(
                    {topic: options}, timeout_ms=CONNECT_SECONDS * 1000, wait_for_metadata=True
                )
            return True
        finally:
            admin.close()


class _Producer(kafka.KafkaProducer):  # type: ignore[misc] # the client has no types
    """A producer whose end is quiet: the client's own raises again when it is collected."""

    def __init__(self, cluster: Cluster, **settings: object) -> None:
        """Connect to the cluster."""
        self._cluster = cluster
        super().__init__(**settings)

    def flush(self, timeout: float) -> None:
        """Wait until all is decided, but not where the broker takes the credentials no longer."""
        deadline = time.monotonic() + timeout
        while True:
            left = max(0.0, deadline - time.monotonic())
            try:
                super().flush(min(left, limits.DOUBT_SECONDS))
            except KafkaTimeoutError:
                if left <= limits.DOUBT_SECONDS:
                    raise
                failures.check_connection(self._cluster)
            else:
                return

    def close(self, timeout: float | None = None, null_logger: bool = False) -> None:  # noqa: FBT001, FBT002 - the signature is the client's
        """Close; records that were not acknowledged were already reported by their futures."""
        with contextlib.suppress(KafkaError):
            super().close(timeout, null_logger)


@contextlib.contextmanager
def open_producer(
    cluster: Cluster, timeout: float, compression: str = limits.NO_COMPRESSION
) -> Iterator[broker.Producer]:
    """Open an idempotent producer (acks=all) with batches that keep the loop from waiting.

    A record that is not acknowledged within `timeout` seconds has failed.

    Raises:
        BrokerError: the broker does not answer within CONNECT_SECONDS.

    """
    with translated(cluster, "connecting"):
        producer = _Producer(
            cluster,
            **options(cluster),
            enable_idempotence=True,
            acks="all",
            batch_size=limits.BATCH_BYTES,
            linger_ms=limits.LINGER_MS,
            compression_type=None if compression == limits.NO_COMPRESSION else compression,
            max_request_size=limits.MAX_RECORD_BYTES,
            max_block_ms=int(timeout * 1000),
            delivery_timeout_ms=int(timeout * 1000),
        )
    try:
        yield producer
    finally:
        producer.close(timeout=1)
