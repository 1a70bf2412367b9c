"""confluent-kafka: librdkafka in C, where speed counts."""

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from server_monitoring.broker import limits
from server_monitoring.broker.clients.confluent_common import (
    Trouble,
    code_of,
    connect,
    options,
    refusal,
    translated,
)
from server_monitoring.broker.clients.confluent_producer import open_producer
from server_monitoring.broker.clients.confluent_reader import ConfluentReader
from server_monitoring.broker.cluster import Cluster
from server_monitoring.broker.limits import CONNECT_SECONDS

ERROR, TIMEOUT = KafkaException, TimeoutError
open_reader = ConfluentReader

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
    return f"confluent-kafka {confluent_kafka.version()}"


def create_topic(cluster: Cluster, topic: str) -> bool:
    """Create a one-partition topic that keeps records for an hour; False if it was there.

    Raises:
        BrokerError: the broker does not answer or refuses.

    """
    configs = {"retention.ms": str(limits.PROBE_RETENTION_MS)}
    with translated(cluster, f"creating topic {topic}", f"Create on topic {topic}"):
        trouble = Trouble()
        admin = AdminClient(options(cluster, trouble))
        connect(admin, lambda: admin.poll(0), trouble)
        if topic in admin.list_topics(timeout=CONNECT_SECONDS).topics:
            return False
        made = admin.create_topics(
            [NewTopic(topic, num_partitions=1, config=configs)],
            operation_timeout=CONNECT_SECONDS,
            request_timeout=CONNECT_SECONDS,
        )
        try:
            made[topic].result(CONNECT_SECONDS)
        except KafkaException as error:
            if code_of(error) != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
        return True
