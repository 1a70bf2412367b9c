"""kafka-python: pure Python, the default."""

import contextlib
import logging
import time
from collections.abc import Iterator, Sequence

import kafka
from kafka.admin import KafkaAdminClient
from kafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    OffsetOutOfRangeError,
    TopicAlreadyExistsError,
)
from kafka.structs import OffsetAndMetadata
from kafka.structs import TopicPartition as ClientPartition

from server_monitoring import broker
from server_monitoring.broker import CONNECT_SECONDS
from server_monitoring.errors import one_line
from server_monitoring.reader import Reader, Record, Records, TopicPartition

ERROR, TIMEOUT = KafkaError, KafkaTimeoutError

# The client logs each retry; its final word reaches the user as a BrokerError.
logging.getLogger("kafka").addHandler(logging.NullHandler())
logging.getLogger("kafka").propagate = False


def description() -> str:
    """Return the client's name and version."""
    return f"kafka-python {kafka.__version__}"


@contextlib.contextmanager
def translated(servers: Sequence[str], doing: str) -> Iterator[None]:
    """Turn the client's errors into a BrokerError about `doing`."""
    try:
        yield
    except (KafkaTimeoutError, KafkaConnectionError) as error:
        raise broker.no_answer(servers, doing) from error
    except KafkaError as error:
        raise broker.failed(servers, one_line(error, 160), doing) from error


def _admin_options(servers: Sequence[str]) -> dict[str, object]:
    return {
        "bootstrap_servers": list(servers),
        "bootstrap_timeout_ms": CONNECT_SECONDS * 1000,
        "request_timeout_ms": CONNECT_SECONDS * 1000,
        "reconnect_backoff_max_ms": 1000,
    }


def _options(servers: Sequence[str]) -> dict[str, object]:
    more = {"allow_auto_create_topics": False, "metrics_enabled": False}
    return _admin_options(servers) | more


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
            configs = {"retention.ms": str(broker.PROBE_RETENTION_MS)}
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

    def close(self, timeout: float | None = None, null_logger: bool = False) -> None:  # noqa: FBT001, FBT002 - the signature is the client's
        """Close; records that were not acknowledged were already reported by their futures."""
        with contextlib.suppress(KafkaError):
            super().close(timeout, null_logger)


@contextlib.contextmanager
def open_producer(
    servers: Sequence[str], timeout: float, compression: str = broker.NO_COMPRESSION
) -> Iterator[broker.Producer]:
    """Open an idempotent producer (acks=all) with batches that keep the loop from waiting.

    A record that is not acknowledged within `timeout` seconds has failed.

    Raises:
        BrokerError: the broker does not answer within CONNECT_SECONDS.

    """
    with translated(servers, "connecting"):
        producer = _Producer(
            **_options(servers),
            enable_idempotence=True,
            acks="all",
            batch_size=broker.BATCH_BYTES,
            linger_ms=broker.LINGER_MS,
            compression_type=None if compression == broker.NO_COMPRESSION else compression,
            max_request_size=broker.MAX_RECORD_BYTES,
            max_block_ms=int(timeout * 1000),
            delivery_timeout_ms=int(timeout * 1000),
        )
    try:
        yield producer
    finally:
        producer.close(timeout=1)


class KafkaPythonReader(Reader):
    """A consumer with partitions assigned by hand."""

    def __init__(self, servers: Sequence[str], group_id: str | None = None) -> None:
        """Connect; `group_id` is the name under which offsets are committed.

        Raises:
            BrokerError: the broker does not answer within CONNECT_SECONDS.

        """
        self._servers = servers
        with translated(servers, "connecting"):
            self._consumer = kafka.KafkaConsumer(
                **_options(servers),
                group_id=group_id,
                enable_auto_commit=False,
                auto_offset_reset="none",
                fetch_max_wait_ms=broker.FETCH_WAIT_MS,
                max_partition_fetch_bytes=broker.MAX_RECORD_BYTES,
                fetch_max_bytes=broker.FETCH_BYTES,
            )

    def __exit__(self, *_: object) -> None:
        """Disconnect."""
        with contextlib.suppress(KafkaError):
            self._consumer.close(autocommit=False, timeout_ms=1000)

    def partitions(self, topic: str) -> int:
        """Return how many partitions a topic has."""
        with translated(self._servers, f"looking up topic {topic}"):
            found = self._consumer.partitions_for_topic(topic)
        if not found:
            raise broker.missing_topic(self._servers, topic)
        return len(found)

    def topic_ids(self, topics: Sequence[str]) -> dict[str, str]:
        """Return the id that the broker gave each topic when it was made."""
        with translated(self._servers, "asking for topic ids"):
            admin = KafkaAdminClient(**_admin_options(self._servers))
            try:
                found = {t["name"]: t for t in admin.describe_topics(list(topics))}
            finally:
                admin.close()
        for topic in topics:
            if topic not in found or found[topic]["error_code"]:
                raise broker.missing_topic(self._servers, topic)
        return {topic: str(found[topic]["topic_id"]) for topic in topics}

    def end_offsets(self, topic_partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the next offset to be written of each partition."""
        wanted = [ClientPartition(*tp) for tp in topic_partitions]
        with translated(self._servers, "asking for end offsets"):
            found = self._consumer.end_offsets(wanted, timeout_ms=CONNECT_SECONDS * 1000)
        return {TopicPartition(*tp): int(offset) for tp, offset in found.items()}

    def beginning(self, tp: TopicPartition) -> int:
        """Return the first offset that the broker still has."""
        wanted = ClientPartition(*tp)
        with translated(self._servers, "asking for first offsets"):
            found = self._consumer.beginning_offsets([wanted], timeout_ms=CONNECT_SECONDS * 1000)
        return int(found[wanted])

    def start(self, positions: dict[TopicPartition, int]) -> Records:
        """Read on at `positions`; return once the first poll of each was answered."""
        with translated(self._servers, "starting to read"):
            self._consumer.assign([ClientPartition(*tp) for tp in positions])
            for tp, offset in positions.items():
                self._consumer.seek(ClientPartition(*tp), offset)
        deadline = time.monotonic() + CONNECT_SECONDS
        first: dict[TopicPartition, list[Record]] = {}
        while any(self._consumer.highwater(ClientPartition(*tp)) is None for tp in positions):
            for tp, records in self.poll(200, 500).items():
                first.setdefault(tp, []).extend(records)
            if time.monotonic() > deadline:
                raise broker.first_poll_unanswered(self._servers)
        return first

    def poll(self, timeout_ms: int, max_records: int) -> Records:
        """Return the next records by partition; none after `timeout_ms` without any."""
        try:
            found = self._consumer.poll(timeout_ms=timeout_ms, max_records=max_records)
        except OffsetOutOfRangeError as error:
            raise broker.offset_gone(self._servers, one_line(error, 120)) from error
        except KafkaConnectionError:
            # It connects again by itself; a stall is found by its duration.
            time.sleep(timeout_ms / 1000)
            return {}
        except KafkaError as error:
            with translated(self._servers, "reading"):
                raise error from error
        return {TopicPartition(*tp): records for tp, records in found.items()}

    def position(self, tp: TopicPartition) -> int:
        """Return the next offset to be read."""
        with translated(self._servers, f"reading topic {tp.topic}"):
            timeout = CONNECT_SECONDS * 1000
            return int(self._consumer.position(ClientPartition(*tp), timeout_ms=timeout))

    def committed(
        self, topic_partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, tuple[int, str]]:
        """Return the group's committed offsets with their metadata, where there are any."""
        found = {}
        with translated(self._servers, "asking for the group's offsets"):
            for tp in topic_partitions:
                shown = self._consumer.committed(
                    ClientPartition(*tp), metadata=True, timeout_ms=broker.GROUP_SECONDS * 1000
                )
                if shown is not None and shown.offset >= 0:
                    found[tp] = (int(shown.offset), str(shown.metadata or ""))
        return found

    def claim(self, offsets: dict[TopicPartition, int], metadata: str) -> None:
        """Commit `offsets` with `metadata` as the group's, and wait until the broker has them."""
        with translated(self._servers, "committing the group's first offsets"):
            self._consumer.commit(_shown(offsets, metadata), timeout_ms=broker.GROUP_SECONDS * 1000)

    def commit(self, offsets: dict[TopicPartition, int], metadata: str) -> None:
        """Show progress as the group's offsets; a failure changes nothing and is ignored."""
        with contextlib.suppress(KafkaError):
            self._consumer.commit_async(_shown(offsets, metadata))


open_reader = KafkaPythonReader


def _shown(
    offsets: dict[TopicPartition, int], metadata: str
) -> dict[ClientPartition, OffsetAndMetadata]:
    return {
        ClientPartition(*tp): OffsetAndMetadata(offset, metadata, -1)
        for tp, offset in offsets.items()
    }
