"""Topics in memory: a reader and a producer that share them, and a producer that can be killed."""

import contextlib
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

from kafka.consumer.fetcher import ConsumerRecord
from server_monitoring.broker.reader import Reader, TopicPartition
from server_monitoring.model.wire import murmur2
from server_monitoring.sources.rows import Row

Headers = list[tuple[str, bytes]]


class KilledError(BaseException):
    """The process ends here."""


class Topics(Reader):
    """Topics of some partitions, read as `Reader` reads them."""

    def __init__(self, partitions: int = 3) -> None:
        """Begin with topics that others wrote to before, so that no offset is 0."""
        self.count = partitions
        self.ids: dict[str, str] = {}
        self.logs: dict[TopicPartition, list[ConsumerRecord]] = defaultdict(list)
        self.first: dict[TopicPartition, int] = {}
        self.read = 0

    def __exit__(self, *_: object) -> None:
        """Stay: the same topics are opened again."""

    def append(self, tp: TopicPartition, headers: Headers, value: bytes = b"") -> int:
        """Add a record and return its offset."""
        offset = len(self.logs[tp])
        size = len(value)
        self.logs[tp].append(
            ConsumerRecord(*tp, 0, offset, 0, 0, b"k", value, headers, None, 1, size, 0)
        )
        return offset

    def add(self, tp: TopicPartition, *rows: int, run_id: bytes = b"r1") -> None:
        """Add records of a run by their row numbers."""
        for row in rows:
            self.append(tp, [("run_id", run_id), ("row", b"%d" % row)])

    def partitions(self, topic: str) -> int:
        """Return the same number for all topics."""
        return self.count if topic else 0

    def topic_ids(self, topics: Sequence[str]) -> dict[str, str]:
        """Return the ids as they are now."""
        return {topic: self.ids.get(topic, f"id of {topic}") for topic in topics}

    def end_offsets(self, topic_partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the logs' lengths."""
        return {tp: len(self.logs[tp]) for tp in topic_partitions}

    def beginning(self, tp: TopicPartition) -> int:
        """Return the first offset that was not deleted."""
        return self.first.get(tp, 0)

    def records(self, tp: TopicPartition, first: int, end: int) -> Iterator[ConsumerRecord]:
        """Yield records, counting them."""
        assert self.beginning(tp) <= first
        for record in self.logs[tp][first:end]:
            self.read += 1
            yield record

    def stored(self, tp: TopicPartition, run_id: bytes = b"r1") -> list[int]:
        """Return the rows of a partition as a consumer stores them."""
        rows: list[int] = []
        for record in self.logs[tp]:
            headers = dict(record.headers)
            row = int(headers.get("row", b"0"))
            if headers.get("run_id") == run_id and row > max(rows, default=0):
                rows.append(row)
        return rows


class Future:
    """A record's future: waiting for it makes the broker have it."""

    def __init__(self, producer: "FakeProducer", tp: TopicPartition, headers: Headers) -> None:
        """Wait for a record that `producer` was given."""
        self.producer = producer
        self.tp = tp
        self.headers = headers
        self.value: Any = None

    @property
    def is_done(self) -> bool:
        """Return whether the broker has it."""
        return self.value is not None

    def failed(self) -> bool:
        """Return that it did not."""
        return False

    def get(self, timeout: float) -> Any:
        """Let everything before it arrive, and itself."""
        assert timeout > 0
        while not self.is_done:
            self.producer.arrive(self.tp, 1)
        return self.value


class FakeProducer:
    """Delivers each partition's records in order, some later than others, until it is killed."""

    def __init__(self, topics: Topics, rng: random.Random, kill_after: int | None) -> None:
        """Be killed when `kill_after` records were given, if that is a number."""
        self.topics = topics
        self.rng = rng
        self.left = kill_after
        self.queues: dict[TopicPartition, list[Future]] = defaultdict(list)

    def send(
        self, topic: str, value: bytes, key: bytes, headers: Headers, partition: int
    ) -> Future:
        """Queue a record; some of the queued ones arrive."""
        if self.left == 0:
            raise KilledError
        self.left = self.left - 1 if self.left is not None else None
        assert partition == (murmur2(key) & 0x7FFFFFFF) % self.topics.count
        assert value.startswith(b'{"ts": ')
        future = Future(self, TopicPartition(topic, partition), headers)
        self.queues[future.tp].append(future)
        if self.rng.random() < 0.3:
            self.arrive(self.rng.choice(list(self.queues)), self.rng.randrange(4))
        return future

    def arrive(self, tp: TopicPartition, most: int) -> None:
        """Let up to `most` queued records of a partition arrive."""
        queue = self.queues[tp]
        for future in queue[:most]:
            # -1 as the client says for a batch that the broker had taken before.
            offset = self.topics.append(tp, future.headers)
            future.value = SimpleNamespace(offset=self.rng.choice([offset, offset, -1]))
        del queue[:most]

    def flush(self, timeout: float) -> None:
        """Let everything arrive."""
        assert timeout > 0
        for tp, queue in self.queues.items():
            self.arrive(tp, len(queue))

    @contextlib.contextmanager
    def open(self, *_: Any) -> Iterator["FakeProducer"]:
        """Take the place of `Client.open_producer`."""
        yield self


def rows(count: int, metrics: int = 4) -> list[Row]:
    """Return rows of 7 servers whose lines have holes, as skipped bad rows leave them."""
    values = [["1.0"] * metrics, ["1.0"] * (metrics - 1) + [""]]
    return [Row(2 + i * 3 // 2, "20:52:00", f"s{i % 7}", values[i % 5 == 4]) for i in range(count)]
