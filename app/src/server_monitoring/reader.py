"""Reading from topics: partitions assigned by hand, offsets kept by the caller.

Every failure becomes a BrokerError that names the broker or the topic and says what to do, and
every wait has an end.
"""

import contextlib
import time
from collections.abc import Iterator, Sequence
from typing import Self

import kafka
from kafka.errors import KafkaError, OffsetOutOfRangeError
from kafka.structs import OffsetAndMetadata

from server_monitoring.broker import (
    CONNECT_SECONDS,
    ConsumerRecord,
    Records,
    TopicPartition,
    common_options,
    missing_topic,
    topic_ids,
    translated,
)
from server_monitoring.errors import BrokerError, one_line

READ_RECORDS = 1_000


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
                **common_options(servers),
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
            raise missing_topic(self._servers, topic)
        return len(found)

    def topic_ids(self, topics: Sequence[str]) -> dict[str, str]:
        """Return the id that the broker gave each topic when it was made.

        Raises:
            BrokerError: no answer, or a topic is missing.

        """
        return topic_ids(self._servers, topics)

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

    def records(self, tp: TopicPartition, first: int, end: int) -> Iterator[ConsumerRecord]:
        """Yield a partition's records with offsets in [first, end), in order.

        Raises:
            BrokerError: no answer, or an offset that the broker no longer has.

        """
        with translated(self._servers, f"reading topic {tp.topic} back"):
            self._consumer.assign([tp])
            self._consumer.seek(tp, first)
        deadline = time.monotonic() + CONNECT_SECONDS
        while self._position(tp) < end:
            batch = self.poll(200, READ_RECORDS).get(tp, [])
            yield from (record for record in batch if record.offset < end)
            if batch:
                deadline = time.monotonic() + CONNECT_SECONDS
            elif time.monotonic() > deadline:
                raise BrokerError(
                    f"topic {tp.topic}: partition {tp.partition} gave no record from offset "
                    f"{self._position(tp)} on within {CONNECT_SECONDS} s; see the broker's log"
                )

    def _position(self, tp: TopicPartition) -> int:
        with translated(self._servers, f"reading topic {tp.topic} back"):
            return int(self._consumer.position(tp, timeout_ms=CONNECT_SECONDS * 1000))

    def beginning(self, tp: TopicPartition) -> int:
        """Return the first offset that the broker still has.

        Raises:
            BrokerError: no answer.

        """
        with translated(self._servers, "asking for first offsets"):
            found = self._consumer.beginning_offsets([tp], timeout_ms=CONNECT_SECONDS * 1000)
        return int(found[tp])

    def committed(
        self, topic_partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, tuple[int, str]]:
        """Return the group's committed offsets with their metadata, where there are any.

        Raises:
            BrokerError: no answer.

        """
        found = {}
        with translated(self._servers, "asking for the group's offsets"):
            for tp in topic_partitions:
                shown = self._consumer.committed(
                    tp, metadata=True, timeout_ms=CONNECT_SECONDS * 1000
                )
                if shown is not None and shown.offset >= 0:
                    found[tp] = (int(shown.offset), str(shown.metadata or ""))
        return found

    def claim(self, offsets: dict[TopicPartition, int], metadata: str) -> None:
        """Commit `offsets` with `metadata` as the group's, and wait until the broker has them.

        Raises:
            BrokerError: no answer.

        """
        with translated(self._servers, "committing the group's first offsets"):
            self._consumer.commit(_shown(offsets, metadata), timeout_ms=CONNECT_SECONDS * 1000)

    def commit(self, offsets: dict[TopicPartition, int], metadata: str) -> None:
        """Show progress as the group's offsets; a failure changes nothing and is ignored."""
        with contextlib.suppress(KafkaError):
            self._consumer.commit_async(_shown(offsets, metadata))


def _shown(
    offsets: dict[TopicPartition, int], metadata: str
) -> dict[TopicPartition, OffsetAndMetadata]:
    return {tp: OffsetAndMetadata(offset, metadata, -1) for tp, offset in offsets.items()}
