"""Reading from topics: partitions assigned by hand, offsets kept by the caller.

What each client's reader offers. All of it raises BrokerError: no answer, or a refusal.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, Self

from server_monitoring.errors import BrokerError

READ_RECORDS = 1_000
READ_SECONDS = 10


class TopicPartition(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class Record(Protocol):
    """A record as it was read."""

    @property
    def offset(self) -> int:
        """Its place in the partition."""

    @property
    def value(self) -> bytes | None:
        """Its content."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]:
        """Its headers, by name."""

    @property
    def key(self) -> bytes | None:
        """Its key; of a live reader."""

    @property
    def timestamp(self) -> int:
        """When the broker took it, in milliseconds since 1970; of a live reader."""


Records = Mapping[TopicPartition, Sequence[Record]]


class Reader:
    """A reader; each client has its own."""

    def __enter__(self) -> Self:
        """Return the reader."""
        return self

    def __exit__(self, *_: object) -> None:
        """Disconnect."""

    def partitions(self, topic: str) -> int:
        """Return how many partitions a topic has."""
        raise NotImplementedError

    def topic_ids(self, topics: Sequence[str]) -> dict[str, str]:
        """Return the id (a UUID) that the broker gave each topic when it was created."""
        raise NotImplementedError

    def check_same(self, topic_ids: Mapping[str, str]) -> None:
        """Refuse a topic that no longer has the id in `topic_ids`, which a run began with.

        Raises:
            BrokerError: it was deleted and created again: what was written before is gone.

        """
        for topic, found in self.topic_ids(list(topic_ids)).items():
            if found != topic_ids[topic]:
                raise BrokerError(
                    f"topic {topic}: deleted and created again during the run (topic id "
                    f"{topic_ids[topic]}, now {found}); start a new run"
                )

    def end_offsets(self, topic_partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the next offset to be written of each partition."""
        raise NotImplementedError

    def beginning(self, tp: TopicPartition) -> int:
        """Return the first offset that the broker still has."""
        raise NotImplementedError

    def start(self, positions: dict[TopicPartition, int]) -> Records:
        """Read on at `positions`; return once the first poll of each was answered.

        Returns:
            The records that came with the first answers.

        """
        raise NotImplementedError

    def poll(self, timeout_ms: int, max_records: int) -> Records:
        """Return the next records by partition; none after `timeout_ms` without any."""
        raise NotImplementedError

    def position(self, tp: TopicPartition) -> int:
        """Return the next offset to be read."""
        raise NotImplementedError

    def committed(
        self, topic_partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, tuple[int, str]]:
        """Return the group's committed offsets with their metadata, where there are any."""
        raise NotImplementedError

    def claim(self, offsets: dict[TopicPartition, int], metadata: str) -> None:
        """Commit `offsets` with `metadata` as the group's, and wait until the broker has them."""
        raise NotImplementedError

    def commit(self, offsets: dict[TopicPartition, int], metadata: str) -> None:
        """Show progress as the group's offsets; a failure changes nothing and is ignored."""
        raise NotImplementedError

    def records(self, tp: TopicPartition, first: int, end: int) -> Iterator[Record]:
        """Yield a partition's records with offsets in [first, end), in order.

        Raises:
            BrokerError: no answer, or an offset that the broker no longer has.

        """
        batch = self.start({tp: first}).get(tp, ())
        deadline = time.monotonic() + READ_SECONDS
        while True:
            yield from (record for record in batch if record.offset < end)
            if self.position(tp) >= end:
                return
            if batch:
                deadline = time.monotonic() + READ_SECONDS
            elif time.monotonic() > deadline:
                raise BrokerError(
                    f"topic {tp.topic}: partition {tp.partition} gave no record from offset "
                    f"{self.position(tp)} on within {READ_SECONDS} s; see the broker's log"
                )
            batch = self.poll(200, READ_RECORDS).get(tp, ())
