"""kafka-python: pure Python, the default."""

import contextlib
import logging
import time
from collections.abc import Iterator, Sequence

import kafka
from kafka.admin import KafkaAdminClient
from kafka.errors import (
    AuthorizationError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    OffsetOutOfRangeError,
    SaslAuthenticationFailedError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
)
from kafka.structs import OffsetAndMetadata
from kafka.structs import TopicPartition as ClientPartition

from server_monitoring import broker, tls
from server_monitoring.broker import CONNECT_SECONDS, describe
from server_monitoring.cluster import MECHANISM, SASL_SSL, Cluster
from server_monitoring.errors import BrokerError, one_line
from server_monitoring.reader import Reader, Record, Records, TopicPartition

ERROR, TIMEOUT = KafkaError, KafkaTimeoutError

# The client logs each retry; its final word reaches the user as a BrokerError.
logging.getLogger("kafka").addHandler(logging.NullHandler())
logging.getLogger("kafka").propagate = False


def description() -> str:
    """Return the client's name and version."""
    return f"kafka-python {kafka.__version__}"


@contextlib.contextmanager
def translated(cluster: Cluster, doing: str, needs: str = "") -> Iterator[None]:
    """Turn the client's errors into a BrokerError about `doing`, which needs a right."""
    try:
        yield
    except (KafkaTimeoutError, KafkaConnectionError) as error:
        raise broker.no_answer(cluster, doing) from error
    except KafkaError as error:
        refused = refusal(cluster, error, doing, needs)
        raise refused or broker.failed(cluster, one_line(error, 160), doing) from error


def refusal(cluster: Cluster, error: Exception, doing: str, needs: str = "") -> BrokerError | None:
    """Return the error for a user who is refused; None if `error` is another one."""
    if isinstance(error, SaslAuthenticationFailedError):
        return broker.authentication_failed(cluster, _reason(error))
    if isinstance(error, AuthorizationError):
        return broker.not_authorized(cluster, _reason(error), doing, needs)
    return None


def _reason(error: KafkaError) -> str:
    return one_line(error, 160)


def _security(cluster: Cluster) -> dict[str, object]:
    if cluster.ca_file is None:
        return {}
    return {
        "security_protocol": SASL_SSL,
        "ssl_context": tls.context(cluster),
        "sasl_mechanism": MECHANISM,
        "sasl_plain_username": cluster.identity.username,
        "sasl_plain_password": cluster.identity.password,
    }


def _admin_options(cluster: Cluster) -> dict[str, object]:
    return _security(cluster) | {
        "bootstrap_servers": list(cluster.servers),
        "bootstrap_timeout_ms": CONNECT_SECONDS * 1000,
        "request_timeout_ms": CONNECT_SECONDS * 1000,
        "reconnect_backoff_max_ms": 1000,
    }


def _options(cluster: Cluster) -> dict[str, object]:
    more = {"allow_auto_create_topics": False, "metrics_enabled": False}
    return _admin_options(cluster) | more


def create_topic(cluster: Cluster, topic: str) -> bool:
    """Create a one-partition topic that keeps records for an hour; False if it was there.

    Raises:
        BrokerError: the broker does not answer or refuses.

    """
    with translated(cluster, f"creating topic {topic}", f"Create on topic {topic}"):
        admin = KafkaAdminClient(**_admin_options(cluster))
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
    cluster: Cluster, timeout: float, compression: str = broker.NO_COMPRESSION
) -> Iterator[broker.Producer]:
    """Open an idempotent producer (acks=all) with batches that keep the loop from waiting.

    A record that is not acknowledged within `timeout` seconds has failed.

    Raises:
        BrokerError: the broker does not answer within CONNECT_SECONDS.

    """
    with translated(cluster, "connecting"):
        producer = _Producer(
            **_options(cluster),
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

    def __init__(self, cluster: Cluster, group_id: str | None = None) -> None:
        """Connect; `group_id` is the name under which offsets are committed.

        Raises:
            BrokerError: the broker does not answer within CONNECT_SECONDS.

        """
        self._cluster = cluster
        self._group = f"Read on group {group_id}"
        with translated(cluster, "connecting"):
            self._consumer = kafka.KafkaConsumer(
                **_options(cluster),
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
        with translated(self._cluster, f"looking up topic {topic}", describe(topic)):
            found = self._consumer.partitions_for_topic(topic)
        if not found:
            raise broker.missing_topic(self._cluster, topic)
        return len(found)

    def topic_ids(self, topics: Sequence[str]) -> dict[str, str]:
        """Return the id that the broker gave each topic when it was made."""
        doing = "asking for topic ids"
        with translated(self._cluster, doing):
            admin = KafkaAdminClient(**_admin_options(self._cluster))
            try:
                found = {t["name"]: t for t in admin.describe_topics(list(topics))}
            finally:
                admin.close()
        for topic in topics:
            if topic in found and found[topic]["error_code"] == TopicAuthorizationFailedError.errno:
                raise broker.not_authorized(self._cluster, "", doing, describe(topic))
            if topic not in found or found[topic]["error_code"]:
                raise broker.missing_topic(self._cluster, topic)
        return {topic: str(found[topic]["topic_id"]) for topic in topics}

    def end_offsets(self, topic_partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the next offset to be written of each partition."""
        wanted = [ClientPartition(*tp) for tp in topic_partitions]
        with translated(self._cluster, "asking for end offsets"):
            found = self._consumer.end_offsets(wanted, timeout_ms=CONNECT_SECONDS * 1000)
        return {TopicPartition(*tp): int(offset) for tp, offset in found.items()}

    def beginning(self, tp: TopicPartition) -> int:
        """Return the first offset that the broker still has."""
        wanted = ClientPartition(*tp)
        with translated(self._cluster, "asking for first offsets"):
            found = self._consumer.beginning_offsets([wanted], timeout_ms=CONNECT_SECONDS * 1000)
        return int(found[wanted])

    def start(self, positions: dict[TopicPartition, int]) -> Records:
        """Read on at `positions`; return once the first poll of each was answered."""
        with translated(self._cluster, "starting to read"):
            self._consumer.assign([ClientPartition(*tp) for tp in positions])
            for tp, offset in positions.items():
                self._consumer.seek(ClientPartition(*tp), offset)
        deadline = time.monotonic() + CONNECT_SECONDS
        first: dict[TopicPartition, list[Record]] = {}
        while any(self._consumer.highwater(ClientPartition(*tp)) is None for tp in positions):
            for tp, records in self.poll(200, 500).items():
                first.setdefault(tp, []).extend(records)
            if time.monotonic() > deadline:
                raise broker.first_poll_unanswered(self._cluster)
        return first

    def poll(self, timeout_ms: int, max_records: int) -> Records:
        """Return the next records by partition; none after `timeout_ms` without any."""
        try:
            found = self._consumer.poll(timeout_ms=timeout_ms, max_records=max_records)
        except OffsetOutOfRangeError as error:
            raise broker.offset_gone(self._cluster, one_line(error, 120)) from error
        except KafkaConnectionError:
            # It connects again by itself; a stall is found by its duration.
            time.sleep(timeout_ms / 1000)
            return {}
        except KafkaError as error:
            with translated(self._cluster, "reading"):
                raise error from error
        return {TopicPartition(*tp): records for tp, records in found.items()}

    def position(self, tp: TopicPartition) -> int:
        """Return the next offset to be read."""
        with translated(self._cluster, f"reading topic {tp.topic}"):
            timeout = CONNECT_SECONDS * 1000
            return int(self._consumer.position(ClientPartition(*tp), timeout_ms=timeout))

    def committed(
        self, topic_partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, tuple[int, str]]:
        """Return the group's committed offsets with their metadata, where there are any."""
        found = {}
        with translated(self._cluster, "asking for the group's offsets", self._group):
            for tp in topic_partitions:
                shown = self._consumer.committed(
                    ClientPartition(*tp), metadata=True, timeout_ms=broker.GROUP_SECONDS * 1000
                )
                if shown is not None and shown.offset >= 0:
                    found[tp] = (int(shown.offset), str(shown.metadata or ""))
        return found

    def claim(self, offsets: dict[TopicPartition, int], metadata: str) -> None:
        """Commit `offsets` with `metadata` as the group's, and wait until the broker has them."""
        with translated(self._cluster, "committing the group's first offsets", self._group):
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
