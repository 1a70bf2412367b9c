"""confluent-kafka's reader: a consumer with partitions assigned by hand."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka import TopicPartition as ClientPartition
from confluent_kafka.admin import AdminClient

from server_monitoring.broker import failures, limits
from server_monitoring.broker.client import Client
from server_monitoring.broker.clients.common_reader import ClientReader
from server_monitoring.broker.clients.confluent_common import (
    END,
    GONE,
    LEADERLESS,
    SILENT,
    UNAUTHORIZED,
    UNKNOWN,
    RefusedError,
    Trouble,
    code_of,
    connect,
    options,
)
from server_monitoring.broker.cluster import Cluster
from server_monitoring.broker.failures import needs_describe
from server_monitoring.broker.limits import CONNECT_SECONDS
from server_monitoring.broker.reader import Record, Records, TopicPartition
from server_monitoring.errors import one_line

_CLOSE_SECONDS = 2
_RETRY_SECONDS = 0.1
_BACKOFF_MS = 5


class _Read(NamedTuple):
    """A record as `reader.Record` wants it."""

    offset: int
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    key: bytes | None = None
    timestamp: int = -1


def _read(message: Any) -> _Read:
    return _Read(message.offset(), message.value(), message.headers() or ())


def _live(message: Any) -> _Read:
    return _Read(*_read(message)[:3], message.key(), message.timestamp()[1])


def fetch_settings() -> dict[str, Any]:
    """Return how much is asked for at once, and how far is read ahead."""
    return {
        "fetch.wait.max.ms": limits.FETCH_WAIT_MS,
        "max.partition.fetch.bytes": limits.PARTITION_BYTES,
        "fetch.max.bytes": limits.FETCH_BYTES,
        # Of a batch that is decompressed, too.
        "receive.message.max.bytes": limits.BATCH_MEMORY_BYTES,
        # Otherwise the client reads far ahead, with memory for each record; and once it has
        # read enough it would wait a second before it looks again.
        "queued.min.messages": limits.QUEUED_RECORDS,
        "queued.max.messages.kbytes": limits.FETCH_BYTES // 1024,
        "fetch.queue.backoff.ms": _BACKOFF_MS,
    }


class ConfluentReader(ClientReader):
    """A consumer with partitions assigned by hand."""

    _made: Callable[[Any], _Read] = staticmethod(_read)

    def __init__(
        self, client: Client, cluster: Cluster, group_id: str | None, *, live: bool = False
    ) -> None:
        """Connect.

        Raises:
            BrokerError: the broker does not answer within CONNECT_SECONDS.

        """
        super().__init__(client, cluster, group_id)
        self._trouble = Trouble()
        if live:
            self._made = _live
        self._positions: dict[TopicPartition, int] = {}
        settings = {
            **options(cluster, self._trouble),
            "group.id": group_id or "server-monitoring",  # it must have one; it joins none
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "allow.auto.create.topics": False,
            **fetch_settings(),
        }
        with self._translated("connecting"):
            self._consumer = confluent_kafka.Consumer(settings)
            try:
                connect(self._consumer, lambda: self._consumer.poll(0), self._trouble)
            except BaseException:
                self._consumer.close()
                raise

    def __exit__(self, *_: object) -> None:
        """Disconnect; without a broker, leave behind a commit that the client waits for."""
        closing = threading.Thread(target=self._consumer.close, daemon=True)
        closing.start()
        closing.join(_CLOSE_SECONDS)

    def _count(self, topic: str) -> int:
        found = self._consumer.list_topics(topic, timeout=CONNECT_SECONDS).topics.get(topic)
        if found is None:
            return 0
        if found.error is not None:
            if found.error.code() in UNKNOWN:
                return 0
            raise KafkaException(found.error)
        return len(found.partitions)

    def topic_ids(self, topics: Sequence[str]) -> dict[str, str]:
        """Return the id that the broker gave each topic when it was created."""
        found = {}
        admin = AdminClient(options(self._cluster))
        needs = ", ".join(map(needs_describe, topics))
        with self._translated("asking for topic ids", needs):
            asked = admin.describe_topics(
                TopicCollection(list(topics)), request_timeout=CONNECT_SECONDS
            )
            for topic, future in asked.items():
                try:
                    given = future.result(CONNECT_SECONDS).topic_id
                except KafkaException as error:
                    if code_of(error) in UNKNOWN:
                        raise failures.missing_topic(self._cluster, topic) from error
                    raise
                high = given.get_most_significant_bits() % (1 << 64)
                low = given.get_least_significant_bits() % (1 << 64)
                found[topic] = str(UUID(int=high << 64 | low))
        return found

    def _watermarks(self, tp: TopicPartition, doing: str) -> tuple[int, int]:
        """Return first and next offset; the client itself does not wait for a leader here."""
        deadline = time.monotonic() + CONNECT_SECONDS
        with self._translated(doing, needs_describe(tp.topic)):
            while True:
                try:
                    found = self._consumer.get_watermark_offsets(
                        ClientPartition(*tp), timeout=CONNECT_SECONDS
                    )
                except KafkaException as error:
                    if code_of(error) not in LEADERLESS or time.monotonic() > deadline:
                        raise
                    time.sleep(_RETRY_SECONDS)
                else:
                    break
            if found is None:
                raise TimeoutError
        return found

    def end_offsets(self, topic_partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the next offset to be written of each partition."""
        return {tp: self._watermarks(tp, "asking for end offsets")[1] for tp in topic_partitions}

    def beginning(self, tp: TopicPartition) -> int:
        """Return the first offset that the broker still has."""
        return self._watermarks(tp, "asking for first offsets")[0]

    def offsets_at(
        self, topic_partitions: Sequence[TopicPartition], second: float
    ) -> dict[TopicPartition, int]:
        """Return of each partition the first offset of this second or a later one."""
        wanted = [ClientPartition(*tp, max(0, int(second * 1000))) for tp in topic_partitions]
        with self._translated("asking for offsets by time"):
            asked = self._consumer.offsets_for_times(wanted, timeout=CONNECT_SECONDS)
            for at in asked:
                if at.error is not None:
                    raise KafkaException(at.error)
        found = {TopicPartition(at.topic, at.partition): at.offset for at in asked}
        return found | self.end_offsets([tp for tp, offset in found.items() if offset < 0])

    def _assign(self, positions: dict[TopicPartition, int]) -> None:
        self._positions = dict(positions)
        self._consumer.assign([ClientPartition(*tp, at) for tp, at in positions.items()])

    def _answered(self, tp: TopicPartition) -> bool:
        """Return whether the broker said where the partition ends, as it does with each answer."""
        found = self._consumer.get_watermark_offsets(ClientPartition(*tp), cached=True)
        return found is not None and found[1] >= 0

    def poll(self, timeout_ms: int, max_records: int) -> Records:
        """Return the next records by partition; none after `timeout_ms` without any."""
        with self._translated("reading"):
            # The client waits until it has as many as it may return: one first, then what is there.
            messages: list[Any] = self._consumer.consume(1, timeout_ms / 1000)
            messages += self._consumer.consume(max_records, 0.01) if messages else []
            self._trouble.check()
        found: dict[tuple[str, int], list[Record]] = defaultdict(list)
        made = self._made
        for message in messages:
            if message.error() is not None:
                self._event(message)
                continue
            found[message.topic(), message.partition()].append(made(message))
        records = {TopicPartition(*place): batch for place, batch in found.items()}
        for tp, batch in records.items():
            self._moved(tp, batch[-1].offset + 1)
        return records

    def _moved(self, tp: TopicPartition, offset: int) -> None:
        # The partition's end may have been reported already, beyond records that are not returned.
        self._positions[tp] = max(offset, self._positions[tp])

    def _event(self, message: Any) -> None:
        """Handle what the client reports of a partition instead of a record."""
        error = message.error()
        if error.code() == END:
            self._moved(TopicPartition(message.topic(), message.partition()), message.offset())
        elif error.code() == KafkaError._BAD_COMPRESSION:  # noqa: SLF001 - librdkafka's own code
            tp = TopicPartition(message.topic(), message.partition())
            raise failures.batch_too_large(*tp, max(self._positions[tp], message.offset()))
        elif error.code() in GONE:
            raise failures.offset_gone(self._cluster, one_line(error.str(), 120))
        elif error.code() not in SILENT and not error.retriable():
            if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED and not self._group:
                return  # It looks for the coordinator of a group that nothing is asked of.
            topic = message.topic()
            needs = f"Read on topic {topic}" if topic else self._group
            with self._translated("reading", needs):
                raise RefusedError(error)
        # Otherwise it reconnects by itself; a stall is detected by its duration.

    def position(self, tp: TopicPartition) -> int:
        """Return the next offset to be read."""
        return self._positions[tp]

    def _committed(
        self, topic_partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, tuple[int, str]]:
        if not topic_partitions:
            return {}
        found = {}
        for committed in self._asked([ClientPartition(*tp) for tp in topic_partitions]):
            if committed.error is not None:
                raise KafkaException(committed.error)
            if committed.offset >= 0:
                tp = TopicPartition(committed.topic, committed.partition)
                found[tp] = (committed.offset, _metadata(committed))
        return found

    def _asked(self, wanted: list[ClientPartition]) -> list[Any]:
        """Return the group's offsets; the client keeps waiting after a refusal of the group."""
        deadline = time.monotonic() + limits.GROUP_SECONDS
        while True:
            try:
                found: list[Any] = self._consumer.committed(wanted, timeout=limits.DOUBT_SECONDS)
            except KafkaException as error:
                said = self._consumer.poll(0)
                self._trouble.check()
                refused = said.error() if said is not None else None
                if refused is not None and refused.code() in UNAUTHORIZED:
                    raise RefusedError(refused) from error
                if code_of(error) not in SILENT or time.monotonic() > deadline:
                    raise
            else:
                return found

    def _commit(self, offsets: dict[TopicPartition, int], metadata: str, *, wait: bool) -> None:
        wanted = [ClientPartition(*tp, offset, metadata) for tp, offset in offsets.items()]
        if not wait:
            self._consumer.commit(offsets=wanted, asynchronous=True)
            return
        for committed in self._consumer.commit(offsets=wanted, asynchronous=False):
            if committed.error is not None:
                raise KafkaException(committed.error)


def _metadata(committed: Any) -> str:
    """Return what was committed with an offset; the client may read on beyond its end."""
    try:
        return committed.metadata or ""
    except UnicodeDecodeError as error:
        return error.object[: error.start].decode()
