"""Reading from topics: partitions assigned by hand, offsets kept by the caller.

What each client's reader offers. All of it raises BrokerError: no answer, or a refusal.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, Self

from server_monitoring.errors import BrokerError

READ_RECORDS = 10_000
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

    def offsets_at(
        self, topic_partitions: Sequence[TopicPartition], second: float
    ) -> dict[TopicPartition, int]:
        """Return of each partition the first offset whose record is of this second or a later one.

        Where there is no such record that is the next offset to be written.
        """
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
        for _, batch in self.batches({tp: first}, {tp: end}):
            yield from batch

    def batches(
        self, firsts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
    ) -> Iterator[tuple[TopicPartition, Sequence[Record]]]:
        """Yield the records of several partitions, from `firsts` on and before `ends`.

        All are read at once, as each partition alone costs the waits of several answers.

        Raises:
            BrokerError: no answer, or an offset that the broker no longer has.

        """
        left = {tp: first for tp, first in firsts.items() if first < ends[tp]}
        if not left:
            return
        records = self.start(left)
        deadline = time.monotonic() + READ_SECONDS
        while True:
            for tp, batch in records.items():
                yield tp, [record for record in batch if record.offset < ends[tp]]
            behind = [tp for tp in left if self.position(tp) < ends[tp]]
            if not behind:
                return
            if any(records.values()):
                deadline = time.monotonic() + READ_SECONDS
            elif time.monotonic() > deadline:
                raise BrokerError(
                    f"topic {behind[0].topic}: partition {behind[0].partition} gave no record from "
                    f"offset {self.position(behind[0])} on within {READ_SECONDS} s; see the "
                    "broker's log"
                )
            records = self.poll(200, READ_RECORDS)
