"""The Kafka client: the only module that imports one, so that another can take its place.

Every failure becomes a BrokerError that names the broker or the topic and says what to do, and
every wait has an end.
"""

import contextlib
import logging
import time
from collections.abc import Iterator, Sequence
from typing import Self

import kafka
from kafka.admin import KafkaAdminClient
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    OffsetOutOfRangeError,
    TopicAlreadyExistsError,
)
from kafka.structs import OffsetAndMetadata, TopicPartition

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
    "Reader",
    "Records",
    "TopicPartition",
    "create_topic",
    "open_producer",
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


def _common(servers: Sequence[str]) -> dict[str, object]:
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
    return {k: v for k, v in _common(servers).items() if k not in left_out}


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
            **_common(servers),
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


class Reader:
    """A consumer with partitions assigned by hand and offsets kept by the caller."""

    def __init__(self, servers: Sequence[str], group_id: str | None = None) -> None:
        """Connect.

        Args:
            servers: host:port of the brokers.
            group_id: name under which `commit` shows progress; None for no commits.

        Raises:
            BrokerError: the broker does not answer within CONNECT_SECONDS.

        """
        self._servers = servers
        with translated(servers, "connecting"):
            self._consumer = kafka.KafkaConsumer(
                **_common(servers),
                group_id=group_id,
                enable_auto_commit=False,
                auto_offset_reset="none",
                fetch_max_wait_ms=200,
                max_partition_fetch_bytes=4 * 1024 * 1024,
                fetch_max_bytes=8 * 1024 * 1024,
            )

    def __enter__(self) -> Self:
        """Return the reader."""
        return self

    def __exit__(self, *_: object) -> None:
        """Disconnect."""
        with contextlib.suppress(KafkaError):
            self._consumer.close(autocommit=False, timeout_ms=1000)

    def partitions(self, topic: str) -> int:
        """Return how many partitions a topic has.

        Raises:
            BrokerError: there is no such topic, or no answer.

        """
        with translated(self._servers, f"looking up topic {topic}"):
            found = self._consumer.partitions_for_topic(topic)
        if not found:
            raise BrokerError(
                f"topic {topic}: not found on broker {', '.join(self._servers)}; create it by "
                "provisioning (kafka_topics)"
            )
        return len(found)

    def end_offsets(self, topic_partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the next offset to be written of each partition.

        Raises:
            BrokerError: no answer.

        """
        with translated(self._servers, "asking for end offsets"):
            found = self._consumer.end_offsets(
                list(topic_partitions), timeout_ms=CONNECT_SECONDS * 1000
            )
        return {tp: int(offset) for tp, offset in found.items()}

    def start(self, positions: dict[TopicPartition, int]) -> Records:
        """Read on at `positions`; return once the first poll of each was answered.

        Returns:
            The records that came with the first answers.

        Raises:
            BrokerError: no answer, or an offset that the broker no longer has.

        """
        with translated(self._servers, "starting to read"):
            self._consumer.assign(list(positions))
            for tp, offset in positions.items():
                self._consumer.seek(tp, offset)
        deadline = time.monotonic() + CONNECT_SECONDS
        first: Records = {}
        while any(self._consumer.highwater(tp) is None for tp in positions):
            for tp, records in self.poll(200, 500).items():
                first.setdefault(tp, []).extend(records)
            if time.monotonic() > deadline:
                raise BrokerError(
                    f"broker {', '.join(self._servers)}: the first poll was not answered within "
                    f"{CONNECT_SECONDS} s; check the broker's log"
                )
        return first

    def poll(self, timeout_ms: int, max_records: int) -> Records:
        """Return the next records by partition; none after `timeout_ms` without any.

        Raises:
            BrokerError: an offset that the broker no longer has, or another refusal.

        """
        try:
            found = self._consumer.poll(timeout_ms=timeout_ms, max_records=max_records)
        except OffsetOutOfRangeError as error:
            raise BrokerError(
                f"broker {', '.join(self._servers)}: {one_line(error, 120)}: the stored offset is "
                "no longer on the broker (retention, or the topic was made anew); start a new run"
            ) from error
        except KafkaError as error:
            with translated(self._servers, "reading"):
                raise error from error
        return dict(found)

    def commit(self, offsets: dict[TopicPartition, int]) -> None:
        """Show progress as the group's offsets; a failure changes nothing and is ignored."""
        shown = {tp: OffsetAndMetadata(offset, "", -1) for tp, offset in offsets.items()}
        with contextlib.suppress(KafkaError):
            self._consumer.commit_async(shown)
