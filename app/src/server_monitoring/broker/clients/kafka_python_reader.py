"""kafka-python's reader: a consumer with partitions assigned by hand."""

import contextlib
import time
from collections.abc import Iterable, Sequence

import kafka
from kafka.admin import KafkaAdminClient
from kafka.errors import (
    KafkaConnectionError,
    KafkaError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
)
from kafka.structs import OffsetAndMetadata
from kafka.structs import TopicPartition as ClientPartition

from server_monitoring.broker import failures, limits
from server_monitoring.broker.clients.kafka_python_common import (
    admin_options,
    options,
    translated,
)
from server_monitoring.broker.cluster import Cluster
from server_monitoring.broker.failures import describe
from server_monitoring.broker.limits import CONNECT_SECONDS
from server_monitoring.broker.reader import Reader, Record, Records, TopicPartition
from server_monitoring.errors import one_line


class KafkaPythonReader(Reader):
    """A consumer with partitions assigned by hand."""

    def __init__(self, cluster: Cluster, group_id: str | None = None) -> None:
        """Connect; `group_id` is the name under which offsets are committed.

        Raises:
            BrokerError: the broker does not answer within CONNECT_SECONDS.

        """
        self._cluster = cluster
        self._last = time.monotonic()
        self._reads = ""
        self._group = f"Read on group {group_id}" if group_id else ""
        with translated(cluster, "connecting"):
            self._consumer = kafka.KafkaConsumer(
                **options(cluster),
                group_id=group_id,
                enable_auto_commit=False,
                auto_offset_reset="none",
                fetch_max_wait_ms=limits.FETCH_WAIT_MS,
                max_partition_fetch_bytes=limits.MAX_RECORD_BYTES,
                fetch_max_bytes=limits.FETCH_BYTES,
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
            self.topic_ids([topic])  # It knows a topic that may not be seen from one that is not.
            raise failures.missing_topic(self._cluster, topic)
        return len(found)

    def topic_ids(self, topics: Sequence[str]) -> dict[str, str]:
        """Return the id that the broker gave each topic when it was made."""
        doing = "asking for topic ids"
        with translated(self._cluster, doing):
            admin = KafkaAdminClient(**admin_options(self._cluster))
            try:
                found = {t["name"]: t for t in admin.describe_topics(list(topics))}
            finally:
                admin.close()
        for topic in topics:
            if topic in found and found[topic]["error_code"] == TopicAuthorizationFailedError.errno:
                raise failures.not_authorized(self._cluster, "", doing, describe(topic))
            if topic not in found or found[topic]["error_code"]:
                raise failures.missing_topic(self._cluster, topic)
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
        self._reads = failures.read(positions)
        with translated(self._cluster, "starting to read", self._reads):
            self._consumer.assign([ClientPartition(*tp) for tp in positions])
            for tp, offset in positions.items():
                self._consumer.seek(ClientPartition(*tp), offset)
        deadline = time.monotonic() + CONNECT_SECONDS
        first: dict[TopicPartition, list[Record]] = {}
        while any(self._consumer.highwater(ClientPartition(*tp)) is None for tp in positions):
            for tp, records in self.poll(200, 500).items():
                first.setdefault(tp, []).extend(records)
            if time.monotonic() > deadline:
                raise failures.first_poll_unanswered(self._cluster)
        return first

    def poll(self, timeout_ms: int, max_records: int) -> Records:
        """Return the next records by partition; none after `timeout_ms` without any."""
        try:
            found = self._consumer.poll(timeout_ms=timeout_ms, max_records=max_records)
        except OffsetOutOfRangeError as error:
            raise failures.offset_gone(self._cluster, one_line(error, 120)) from error
        except KafkaConnectionError:
            # It connects again by itself; a stall is found by its duration.
            time.sleep(timeout_ms / 1000)
            self._doubt(answered=False)
            return {}
        except KafkaError as error:
            with translated(self._cluster, "reading", self._reads):
                raise error from error
        self._doubt(answered=bool(found))
        return {TopicPartition(*tp): records for tp, records in found.items()}

    def _doubt(self, *, answered: bool) -> None:
        """Find out by asking that a password was changed: the client tries again for ever."""
        now = time.monotonic()
        if answered:
            self._last = now
        elif now - self._last > limits.DOUBT_SECONDS:
            failures.check_connection(self._cluster)
            self._last = time.monotonic()

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
        with translated(
            self._cluster, "asking for the group's offsets", self._needs(topic_partitions)
        ):
            for tp in topic_partitions:
                shown = self._consumer.committed(
                    ClientPartition(*tp), metadata=True, timeout_ms=limits.GROUP_SECONDS * 1000
                )
                if shown is not None and shown.offset >= 0:
                    found[tp] = (int(shown.offset), str(shown.metadata or ""))
        return found

    def _needs(self, topic_partitions: Iterable[TopicPartition]) -> str:
        return f"{self._group}; {failures.read(topic_partitions)}"

    def claim(self, offsets: dict[TopicPartition, int], metadata: str) -> None:
        """Commit `offsets` with `metadata` as the group's, and wait until the broker has them."""
        with translated(
            self._cluster, "committing the group's first offsets", self._needs(offsets)
        ):
            self._consumer.commit(_shown(offsets, metadata), timeout_ms=limits.GROUP_SECONDS * 1000)

    def commit(self, offsets: dict[TopicPartition, int], metadata: str) -> None:
        """Show progress as the group's offsets; a failure changes nothing and is ignored."""
        with contextlib.suppress(KafkaError):
            self._consumer.commit_async(_shown(offsets, metadata))


def _shown(
    offsets: dict[TopicPartition, int], metadata: str
) -> dict[ClientPartition, OffsetAndMetadata]:
    return {
        ClientPartition(*tp): OffsetAndMetadata(offset, metadata, -1)
        for tp, offset in offsets.items()
    }
