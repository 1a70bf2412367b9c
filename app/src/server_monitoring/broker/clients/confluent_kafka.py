"""confluent-kafka: librdkafka in C, where speed counts."""
# ruff: noqa: SLF001 - librdkafka's own error codes begin with an underscore

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from server_monitoring.broker.client import Client
from server_monitoring.broker.clients.confluent_common import (
    FENCED,
    SILENT,
    UNAUTHORIZED,
    Trouble,
    code_of,
    connect,
    options,
    reason_of,
)
from server_monitoring.broker.clients.confluent_producer import ConfluentProducer
from server_monitoring.broker.clients.confluent_reader import ConfluentReader
from server_monitoring.broker.clients.confluent_transactions import ConfluentTransactions
from server_monitoring.broker.cluster import Cluster
from server_monitoring.broker.limits import CONNECT_SECONDS


class Confluent(Client):
    """confluent-kafka; its errors are known by their numbers."""

    ERROR = KafkaException
    TIMEOUT = TimeoutError

    def description(self) -> str:
        """Return the client's name and version."""
        return f"confluent-kafka {confluent_kafka.version()}"

    def open_reader(
        self, cluster: Cluster, group_id: str | None = None, *, live: bool = False
    ) -> ConfluentReader:
        """Connect; `group_id` is the name under which offsets are committed."""
        return ConfluentReader(self, cluster, group_id, live=live)

    def _producer(self, cluster: Cluster, timeout: float, compression: str) -> ConfluentProducer:
        producer = ConfluentProducer(cluster, timeout, compression)
        producer.check()
        return producer

    def _transactional(
        self, cluster: Cluster, transactional_id: str, group_id: str, timeout: float
    ) -> ConfluentTransactions:
        return ConfluentTransactions(cluster, transactional_id, group_id, timeout)

    def _create(self, cluster: Cluster, topic: str, configs: dict[str, str]) -> bool:
        trouble = Trouble()
        admin = AdminClient(options(cluster, trouble))
        connect(admin, lambda: admin.poll(0), trouble)
        if topic in admin.list_topics(timeout=CONNECT_SECONDS).topics:
            return False
        created = admin.create_topics(
            [NewTopic(topic, num_partitions=1, config=configs)],
            operation_timeout=CONNECT_SECONDS,
            request_timeout=CONNECT_SECONDS,
        )
        try:
            created[topic].result(CONNECT_SECONDS)
        except KafkaException as error:
            if code_of(error) != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
        return True

    def _silent(self, error: Exception) -> bool:
        return isinstance(error, TimeoutError) or code_of(error) in SILENT

    def _fenced(self, error: Exception) -> bool:
        return code_of(error) in FENCED

    def _unauthenticated(self, error: Exception) -> bool:
        return code_of(error) == KafkaError._AUTHENTICATION

    def _unauthorized(self, error: Exception) -> str | None:
        code = code_of(error)
        if code not in UNAUTHORIZED:
            return None
        return "topic" if code == KafkaError.TOPIC_AUTHORIZATION_FAILED else "group"

    def _reason(self, error: Exception) -> str:
        return reason_of(error)


CLIENT = Confluent()
