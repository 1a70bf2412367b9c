"""kafka-python's producer."""

import contextlib
import time

import kafka
from kafka.errors import KafkaError, KafkaTimeoutError

from server_monitoring.broker import failures, limits
from server_monitoring.broker.clients.kafka_python_common import options
from server_monitoring.broker.cluster import Cluster


def producer_options(cluster: Cluster, timeout: float, compression: str) -> dict[str, object]:
    """Return what an idempotent producer is told."""
    return {
        **options(cluster),
        "enable_idempotence": True,
        "acks": "all",
        "batch_size": limits.BATCH_BYTES,
        "linger_ms": limits.LINGER_MS,
        "compression_type": None if compression == limits.NO_COMPRESSION else compression,
        "max_request_size": limits.MAX_REQUEST_BYTES,
        "max_block_ms": int(timeout * 1000),
        "delivery_timeout_ms": int(timeout * 1000),
    }


class KafkaPythonProducer(kafka.KafkaProducer):  # type: ignore[misc] # the client has no types
    """A producer that closes quietly: the client's own raises again when it is collected."""

    def __init__(self, cluster: Cluster, **settings: object) -> None:
        """Connect to the cluster."""
        self._cluster = cluster
        super().__init__(**settings)

    def flush(self, timeout: float) -> None:
        """Wait until all is decided, but not once the broker no longer takes the credentials."""
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

    def close(self, timeout: float | None = 1, null_logger: bool = False) -> None:  # noqa: FBT001, FBT002 - the signature is the client's
        """Close; records that were not acknowledged were already reported by their futures."""
        with contextlib.suppress(KafkaError):
            super().close(timeout, null_logger)
