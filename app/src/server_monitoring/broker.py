"""The Kafka client: only this module and `reader` import one, so that another can take its place.

Every failure becomes a BrokerError that names the broker or the topic and says what to do, and
every wait has an end.
"""

import contextlib
import logging
from collections.abc import Iterator, Sequence

import kafka
from kafka.admin import KafkaAdminClient
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    TopicAlreadyExistsError,
)
from kafka.structs import TopicPartition

from server_monitoring.errors import BrokerError, one_line

CLIENT = f"kafka-python {kafka.__version__}"
CONNECT_SECONDS = 10
DELIVERY_SECONDS = 15

# The client logs each retry; its final word reaches the user as a BrokerError.
logging.getLogger("kafka").addHandler(logging.NullHandler())
logging.getLogger("kafka").propagate = False

Records = dict[TopicPartition, list[ConsumerRecord]]

__all__ = [
    "CLIENT",
    "ConsumerRecord",
    "KafkaError",
    "KafkaTimeoutError",
    "Records",
    "TopicPartition",
    "common_options",
    "create_topic",
    "missing_topic",
    "open_producer",
    "topic_ids",
    "translated",
]


@contextlib.contextmanager
def translated(servers: Sequence[str], doing: str) -> Iterator[None]:
    """Turn the client's errors into a BrokerError about `doing`."""
    names = ", ".join(servers)
    try:
        yield
    except KafkaTimeoutError as error:
        raise BrokerError(
            f"broker {names}: no answer in time while {doing}; check that kafka.service runs "
            "there and that this host reaches it"
        ) from error
    except KafkaError as error:
        raise BrokerError(
            f"broker {names}: {one_line(error, 160)} while {doing}; see the broker's log"
        ) from error


def common_options(servers: Sequence[str]) -> dict[str, object]:
    """Return what all clients are told."""
    return {
        "bootstrap_servers": list(servers),
        "bootstrap_timeout_ms": CONNECT_SECONDS * 1000,
        "request_timeout_ms": CONNECT_SECONDS * 1000,
        "reconnect_backoff_max_ms": 1000,
        "allow_auto_create_topics": False,
        "metrics_enabled": False,
    }


def _admin_options(servers: Sequence[str]) -> dict[str, object]:
    left_out = ("allow_auto_create_topics", "metrics_enabled")
    return {k: v for k, v in common_options(servers).items() if k not in left_out}


def create_topic(servers: Sequence[str], topic: str) -> bool:
    """Create a one-partition topic that keeps records for an hour; False if it was there.

    Raises:
        BrokerError: the broker does not answer or refuses.

    """
    with translated(servers, f"creating topic {topic}"):
        admin = KafkaAdminClient(**_admin_options(servers))
        try:
            if topic in admin.list_topics():
                return False
            options = {"num_partitions": 1, "configs": {"retention.ms": "3600000"}}
            with contextlib.suppress(TopicAlreadyExistsError):
                admin.create_topics(
                    {topic: options}, timeout_ms=CONNECT_SECONDS * 1000, wait_for_metadata=True
                )
            return True
        finally:
            admin.close()


def topic_ids(servers: Sequence[str], topics: Sequence[str]) -> dict[str, str]:
    """Return the id that the broker gave each topic when it was made.

    Raises:
        BrokerError: the broker does not answer, or a topic is missing.

    """
    with translated(servers, "asking for topic ids"):
        admin = KafkaAdminClient(**_admin_options(servers))
        try:
            found = {t["name"]: t for t in admin.describe_topics(list(topics))}
        finally:
            admin.close()
    for topic in topics:
        if topic not in found or found[topic]["error_code"]:
            raise missing_topic(servers, topic)
    return {topic: str(found[topic]["topic_id"]) for topic in topics}


def missing_topic(servers: Sequence[str], topic: str) -> BrokerError:
    """Return the error for a topic that is not there."""
    return BrokerError(
        f"topic {topic}: not found on broker {', '.join(servers)}; create it by "
        "provisioning (kafka_topics)"
    )


class _Producer(kafka.KafkaProducer):  # type: ignore[misc] # the client has no types
    """A producer whose end is quiet: the client's own raises again when it is collected."""

    def close(self, timeout: float | None = None, null_logger: bool = False) -> None:  # noqa: FBT001, FBT002 - the signature is the client's
        """Close; records that were not acknowledged were already reported by their futures."""
        with contextlib.suppress(KafkaError):
            super().close(timeout, null_logger)


@contextlib.contextmanager
def open_producer(servers: Sequence[str]) -> Iterator[kafka.KafkaProducer]:
    """Open an idempotent producer (acks=all) with batches that keep the loop from waiting.

    Raises:
        BrokerError: the broker does not answer within CONNECT_SECONDS.

    """
    with translated(servers, "connecting"):
        producer = _Producer(
            **common_options(servers),
            enable_idempotence=True,
            acks="all",
            batch_size=256 * 1024,
            linger_ms=50,
            max_request_size=4 * 1024 * 1024,
            max_block_ms=CONNECT_SECONDS * 1000,
            delivery_timeout_ms=DELIVERY_SECONDS * 1000,
        )
    try:
        yield producer
    finally:
        producer.close(timeout=1)
