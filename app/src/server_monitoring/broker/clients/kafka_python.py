"""kafka-python: pure Python, the default."""

import contextlib
import time

import kafka
from kafka.admin import KafkaAdminClient
from kafka.errors import (
    AuthorizationError,
    ClusterAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    SaslAuthenticationFailedError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
)

from server_monitoring.broker import failures, limits
from server_monitoring.broker.client import Client
from server_monitoring.broker.clients.kafka_python_common import admin_options, options
from server_monitoring.broker.clients.kafka_python_reader import KafkaPythonReader
from server_monitoring.broker.cluster import Cluster
from server_monitoring.broker.limits import CONNECT_SECONDS
from server_monitoring.errors import one_line

_NO_PRODUCER = ClusterAuthorizationFailedError.__name__


class _Producer(kafka.KafkaProducer):  # type: ignore[misc] # the client has no types
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


class KafkaPython(Client):
    """kafka-python; its errors are known by their classes."""

    ERROR = KafkaError
    TIMEOUT = KafkaTimeoutError

    def description(self) -> str:
        """Return the client's name and version."""
        return f"kafka-python {kafka.__version__}"

    def open_reader(self, cluster: Cluster, group_id: str | None = None) -> KafkaPythonReader:
        """Connect; `group_id` is the name under which offsets are committed."""
        return KafkaPythonReader(self, cluster, group_id)

    def _producer(self, cluster: Cluster, timeout: float, compression: str) -> _Producer:
        return _Producer(
            cluster,
            **options(cluster),
            enable_idempotence=True,
            acks="all",
            batch_size=limits.BATCH_BYTES,
            linger_ms=limits.LINGER_MS,
            compression_type=None if compression == limits.NO_COMPRESSION else compression,
            max_request_size=limits.MAX_REQUEST_BYTES,
            max_block_ms=int(timeout * 1000),
            delivery_timeout_ms=int(timeout * 1000),
        )

    def _create(self, cluster: Cluster, topic: str, configs: dict[str, str]) -> bool:
        admin = KafkaAdminClient(**admin_options(cluster))
        try:
            if topic in admin.list_topics():
                return False
            wanted = {"num_partitions": 1, "configs": configs}
            with contextlib.suppress(TopicAlreadyExistsError):
                admin.create_topics(
                    {topic: wanted}, timeout_ms=CONNECT_SECONDS * 1000, wait_for_metadata=True
                )
            return True
        finally:
            admin.close()

    def _silent(self, error: Exception) -> bool:
        return isinstance(error, KafkaTimeoutError | KafkaConnectionError)

    def _unauthenticated(self, error: Exception) -> bool:
        return isinstance(error, SaslAuthenticationFailedError)

    def _unauthorized(self, error: Exception) -> str | None:
        if isinstance(error, TopicAuthorizationFailedError):
            return "topic"
        # That a producer may write nothing the client says only in a text.
        refused = isinstance(error, AuthorizationError) or _NO_PRODUCER in str(error)
        return "group" if refused else None

    def _reason(self, error: Exception) -> str:
        return one_line(error, 160)


CLIENT = KafkaPython()
