"""kafka-python's reader: a consumer with partitions assigned by hand."""

import contextlib
import time
from collections.abc import Sequence
from typing import Any

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
from server_monitoring.broker.client import Client
from server_monitoring.broker.clients.common_reader import ClientReader
from server_monitoring.broker.clients.kafka_python_batches import (
    BatchTooLargeError,
    PartitionRecords,
)
from server_monitoring.broker.clients.kafka_python_common import admin_options, options
from server_monitoring.broker.cluster import Cluster
from server_monitoring.broker.failures import needs_describe, needs_read
from server_monitoring.broker.limits import CONNECT_SECONDS
from server_monitoring.broker.reader import Records, TopicPartition
from server_monitoring.errors import one_line


class KafkaPythonReader(ClientReader):
    """A consumer with partitions assigned by hand."""

    def __init__(
        self, client: Client, cluster: Cluster, group_id: str | None, *, live: bool = False
    ) -> None:
        """Connect.

        Raises:
            BrokerError: the broker does not answer within CONNECT_SECONDS.

        """
        super().__init__(client, cluster, group_id)
        self._group_id, self._live = group_id, live
        self._last = time.monotonic()
        # When each partition gave records, or was found to have no more.
        self._moved: dict[TopicPartition, float] = {}
        self._reads = ""
        with self._translated("connecting"):
            self._consumer = self._connected()

    def _connected(self) -> Any:
        consumer = kafka.KafkaConsumer(
            **options(self._cluster),
            group_id=self._group_id,
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=limits.FETCH_WAIT_MS,
            max_partition_fetch_bytes=limits.PARTITION_BYTES,
            fetch_max_bytes=limits.FETCH_BYTES,
            isolation_level="read_committed" if self._live else "read_uncommitted",
        )
        consumer._fetcher.PartitionRecords = PartitionRecords  # noqa: SLF001 - as it says
        # Commits look for the group's coordinator themselves; the client reads nothing without it.
        consumer._coordinator.poll = lambda **_: True  # noqa: SLF001
        return consumer

    def __exit__(self, *_: object) -> None:
        """Disconnect."""
        self._disconnect(self._consumer)

    @staticmethod
    def _disconnect(consumer: Any) -> None:
        with contextlib.suppress(KafkaError):
            consumer.close(autocommit=False, timeout_ms=1000)

    def _count(self, topic: str) -> int:
        found = self._consumer.partitions_for_topic(topic)
        if not found:
            self.topic_ids([topic])  # It tells a topic that may not be seen from a missing one.
        return len(found or ())

    def topic_ids(self, topics: Sequence[str]) -> dict[str, str]:
        """Return the id that the broker gave each topic when it was created."""
        doing = "asking for topic ids"
        with self._translated(doing):
            admin = KafkaAdminClient(**admin_options(self._cluster))
            try:
                found = {t["name"]: t for t in admin.describe_topics(list(topics))}
            finally:
                admin.close()
        for topic in topics:
            if topic in found and found[topic]["error_code"] == TopicAuthorizationFailedError.errno:
                raise failures.not_authorized(self._cluster, "", doing, needs_describe(topic))
            if topic not in found or found[topic]["error_code"]:
                raise failures.missing_topic(self._cluster, topic)
        return {topic: str(found[topic]["topic_id"]) for topic in topics}

    def end_offsets(self, topic_partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the next offset to be written of each partition."""
        wanted = [ClientPartition(*tp) for tp in topic_partitions]
        with self._translated("asking for end offsets"):
            found = self._consumer.end_offsets(wanted, timeout_ms=CONNECT_SECONDS * 1000)
        return {TopicPartition(*tp): int(offset) for tp, offset in found.items()}

    def beginning(self, tp: TopicPartition) -> int:
        """Return the first offset that the broker still has."""
        wanted = ClientPartition(*tp)
        with self._translated("asking for first offsets"):
            found = self._consumer.beginning_offsets([wanted], timeout_ms=CONNECT_SECONDS * 1000)
        return int(found[wanted])

    def offsets_at(
        self, topic_partitions: Sequence[TopicPartition], second: float
    ) -> dict[TopicPartition, int]:
        """Return of each partition the first offset of this second or a later one."""
        wanted = {ClientPartition(*tp): max(0, int(second * 1000)) for tp in topic_partitions}
        with self._translated("asking for offsets by time"):
            found = self._consumer.offsets_for_times(wanted, timeout_ms=CONNECT_SECONDS * 1000)
        ends = self.end_offsets([tp for tp in topic_partitions if not found[ClientPartition(*tp)]])
        times = {TopicPartition(*tp): int(at.offset) for tp, at in found.items() if at}
        return times | ends

    def _assign(self, positions: dict[TopicPartition, int]) -> None:
        self._reads = needs_read(positions)
        self._moved = dict.fromkeys(positions, time.monotonic())
        self._seek(self._consumer, positions)

    @staticmethod
    def _seek(consumer: Any, positions: dict[TopicPartition, int]) -> None:
        consumer.assign([ClientPartition(*tp) for tp in positions])
        for tp, offset in positions.items():
            consumer.seek(ClientPartition(*tp), offset)

    def _answered(self, tp: TopicPartition) -> bool:
        return self._consumer.highwater(ClientPartition(*tp)) is not None

    def poll(self, timeout_ms: int, max_records: int) -> Records:
        """Return the next records by partition; none after `timeout_ms` without any."""
        try:
            found = self._consumer.poll(timeout_ms=timeout_ms, max_records=max_records)
        except BatchTooLargeError as error:
            place = (error.topic, error.partition, error.offset)
            raise failures.batch_too_large(*place) from error
        except OffsetOutOfRangeError as error:
            raise failures.offset_gone(self._cluster, one_line(error, 120)) from error
        except KafkaConnectionError:
            # It reconnects by itself; a stall is detected by its duration.
            time.sleep(timeout_ms / 1000)
            found = {}
        except KafkaError as error:
            with self._translated("reading", self._reads):
                raise error from error
        records = {TopicPartition(*tp): batch for tp, batch in found.items()}
        self._doubt(answered=bool(records))
        self._watch(records)
        return records

    def _doubt(self, *, answered: bool) -> None:
        """Find out by asking whether a password was changed: the client retries forever."""
        now = time.monotonic()
        if answered:
            self._last = now
        elif now - self._last > limits.DOUBT_SECONDS:
            failures.check_connection(self._cluster)
            self._last = time.monotonic()

    def _watch(self, records: Records) -> None:
        """Connect anew where the client does not fetch what is there, whatever it waits for."""
        now = time.monotonic()
        self._moved.update(dict.fromkeys(records, now))
        silent = [tp for tp, moved in self._moved.items() if now - moved > limits.STALL_SECONDS]
        if not silent:
            return
        if self._stands(silent):
            self._reconnect()
        self._moved.update(dict.fromkeys(silent, time.monotonic()))

    def _stands(self, silent: Sequence[TopicPartition]) -> bool:
        """Return whether one of these has records, or nobody answers."""
        wanted = [ClientPartition(*tp) for tp in silent]
        try:
            ends = self._consumer.end_offsets(wanted, timeout_ms=limits.DOUBT_SECONDS * 1000)
        except KafkaError:
            return True
        return any(self._next(TopicPartition(*tp)) < end for tp, end in ends.items())

    def _reconnect(self) -> None:
        positions = {tp: self._next(tp) for tp in self._moved}
        # Nobody answers: the client that there is tries on.
        with contextlib.suppress(KafkaError):
            fresh = self._connected()
            self._seek(fresh, positions)
            self._disconnect(self._consumer)
            self._consumer = fresh

    def _next(self, tp: TopicPartition) -> int:
        """Return the next offset to be read, without a wait."""
        state = self._consumer._subscription.assignment[ClientPartition(*tp)]  # noqa: SLF001
        return int(state.position.offset)

    def position(self, tp: TopicPartition) -> int:
        """Return the next offset to be read."""
        with self._translated(f"reading topic {tp.topic}"):
            timeout = CONNECT_SECONDS * 1000
            return int(self._consumer.position(ClientPartition(*tp), timeout_ms=timeout))

    def _committed(
        self, topic_partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, tuple[int, str]]:
        found = {}
        for tp in topic_partitions:
            committed = self._consumer.committed(
                ClientPartition(*tp), metadata=True, timeout_ms=limits.GROUP_SECONDS * 1000
            )
            if committed is not None and committed.offset >= 0:
                found[tp] = (int(committed.offset), str(committed.metadata or ""))
        return found

    def _commit(self, offsets: dict[TopicPartition, int], metadata: str, *, wait: bool) -> None:
        wanted = {
            ClientPartition(*tp): OffsetAndMetadata(offset, metadata, -1)
            for tp, offset in offsets.items()
        }
        if wait:
            self._consumer.commit(wanted, timeout_ms=limits.GROUP_SECONDS * 1000)
        else:
            self._consumer.commit_async(wanted)
