"""A reader whose answers a test gives, and a consumer that reads them."""

import json
from typing import Any

from kafka.consumer.fetcher import ConsumerRecord
from server_monitoring.broker.reader import Reader, TopicPartition
from server_monitoring.consume import consumer

PATIENCE, IDLE = 60, 2000
CPU, MEM = TopicPartition("topic-cpu", 0), TopicPartition("topic-mem", 0)


class Answers(Reader):
    """A reader of two one-partition topics, with scripted polls and a clock that they move."""

    def __init__(self, polls: list[dict[TopicPartition, list[Any]]], partitions: int = 1) -> None:
        """Answer `polls` in turn, then nothing; each poll takes ten seconds."""
        self.polls = polls
        self.count = partitions
        self.now = 0.0
        self.shown: list[dict[TopicPartition, int]] = []
        self.claimed: dict[TopicPartition, tuple[int, str]] = {}
        self.ends: dict[TopicPartition, int] = {}
        self.ids = {"topic-cpu": "id-cpu", "topic-mem": "id-mem"}

    def partitions(self, topic: str) -> int:
        """Return the same number for both topics."""
        return self.count if topic else 0

    def end_offsets(self, topic_partitions: Any) -> dict[TopicPartition, int]:
        """Begin everywhere at 10, where nothing else is said."""
        return {tp: self.ends.get(tp, 10) for tp in topic_partitions}

    def start(self, positions: dict[TopicPartition, int]) -> dict[TopicPartition, list[Any]]:
        """Answer the first poll with nothing."""
        assert positions
        return {}

    def poll(self, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Any]]:
        """Return the next answer."""
        assert timeout_ms > 0 < max_records
        self.now += 10
        return self.polls.pop(0) if self.polls else {}

    def topic_ids(self, topics: Any) -> dict[str, str]:
        """Return the ids as they are now."""
        return {topic: self.ids[topic] for topic in topics}

    def committed(self, topic_partitions: Any) -> dict[TopicPartition, tuple[int, str]]:
        """Return what was claimed."""
        return {tp: self.claimed[tp] for tp in topic_partitions if tp in self.claimed}

    def claim(self, offsets: dict[TopicPartition, int], metadata: str) -> None:
        """Remember a claim."""
        self.claimed |= {tp: (offset, metadata) for tp, offset in offsets.items()}

    def commit(self, offsets: dict[TopicPartition, int], metadata: str) -> None:
        """Remember what was shown; it repeats the claim."""
        assert all(text == metadata for _, text in self.claimed.values())
        self.shown.append(dict(offsets))


def record(
    tp: TopicPartition, offset: int, value: bytes, run_id: bytes = b"r1", row: int | None = None
) -> ConsumerRecord:
    """Return a record as the client gives it; its row number is its offset unless one is given."""
    headers = [("run_id", run_id), ("row", b"%d" % (offset if row is None else row))]
    size = len(value)
    return ConsumerRecord(*tp, 0, offset, 0, 0, b"a", value, headers, None, 1, size, 10)


def value(column: str, number: str = "1.5") -> bytes:
    """Return a value in the wire format."""
    return b'{"ts": "20:52:00", "server_id": "a", "%s": %s}' % (column.encode(), number.encode())


def publish(made: consumer.Consumer, cpu: int, mem: int) -> None:
    """Say where the run ends."""
    raw = made.segments[CPU].path.parents[1]
    ends = {"topic-cpu": {"0": cpu}, "topic-mem": {"0": mem}}
    (raw.parent / "end_offsets.json").write_text(json.dumps(ends))
