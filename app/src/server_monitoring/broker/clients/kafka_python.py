"""kafka-python: pure Python, the default."""

import contextlib

import kafka
from kafka.admin import KafkaAdminClient
from kafka.errors import (
    AuthorizationError,
    ClusterAuthorizationFailedError,
    InvalidProducerEpochError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    ProducerFencedError,
    SaslAuthenticationFailedError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
)

from server_monitoring.broker.client import Client
from server_monitoring.broker.clients.kafka_python_common import admin_options
from server_monitoring.broker.clients.kafka_python_producer import (
    KafkaPythonProducer,
    producer_options,
)
from server_monitoring.broker.clients.kafka_python_reader import KafkaPythonReader
from server_monitoring.broker.clients.kafka_python_transactions import KafkaPythonTransactions
from server_monitoring.broker.cluster import Cluster
from server_monitoring.broker.limits import CONNECT_SECONDS
from server_monitoring.errors import one_line

_FENCED = (ProducerFencedError, InvalidProducerEpochError)
_NO_PRODUCER = ClusterAuthorizationFailedError.__name__


class KafkaPython(Client):
    """kafka-python; its errors are known by their classes."""

    ERROR = KafkaError
    TIMEOUT = KafkaTimeoutError

    def description(self) -> str:
        """Return the client's name and version."""
        return f"kafka-python {kafka.__version__}"

    def open_reader(
        self, cluster: Cluster, group_id: str | None = None, *, live: bool = False
    ) -> KafkaPythonReader:
        """Connect; `group_id` is the name under which offsets are committed."""
        return KafkaPythonReader(self, cluster, group_id, live=live)

    def _producer(self, cluster: Cluster, timeout: float, compression: str) -> KafkaPythonProducer:
        return KafkaPythonProducer(cluster, **producer_options(cluster, timeout, compression))

    def _transactional(
        self, cluster: Cluster, transactional_id: str, group_id: str, timeout: float
    ) -> KafkaPythonTransactions:
        return KafkaPythonTransactions(cluster, transactional_id, group_id, timeout)

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

    def _fenced(self, error: Exception) -> bool:
        # What the client says of a producer that failed before, it says only in a text.
        return any(kind.__name__ in f"{type(error).__name__} {error}" for kind in _FENCED)

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
