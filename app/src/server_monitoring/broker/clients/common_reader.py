"""What the clients' readers share: what each question is about, and which right it needs."""

import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager

from server_monitoring.broker import failures
from server_monitoring.broker.client import Client
from server_monitoring.broker.cluster import Cluster
from server_monitoring.broker.failures import needs_describe, needs_read
from server_monitoring.broker.limits import CONNECT_SECONDS
from server_monitoring.broker.reader import Reader, Record, Records, TopicPartition

_FIRST_POLL_MS = 100
_FIRST_RECORDS = 500


class ClientReader(Reader, ABC):
    """A reader that asks through a client, and answers in the app's words."""

    def __init__(self, client: Client, cluster: Cluster, group_id: str | None) -> None:
        """Read by `client`; `group_id` is the name under which offsets are committed."""
        self._client = client
        self._cluster = cluster
        self._group = f"Read on group {group_id}" if group_id else ""

    def _translated(self, doing: str, needs: str = "") -> AbstractContextManager[None]:
        return self._client.translated(self._cluster, doing, needs)

    def _needs(self, topic_partitions: Iterable[TopicPartition]) -> str:
        return f"{self._group}; {needs_read(topic_partitions)}"

    def partitions(self, topic: str) -> int:
        """Return how many partitions a topic has."""
        with self._translated(f"looking up topic {topic}", needs_describe(topic)):
            count = self._count(topic)
        if not count:
            raise failures.missing_topic(self._cluster, topic)
        return count

    def start(self, positions: dict[TopicPartition, int]) -> Records:
        """Read on at `positions`; return once the first poll of each was answered."""
        with self._translated("starting to read", needs_read(positions)):
            self._assign(positions)
        deadline = time.monotonic() + CONNECT_SECONDS
        first: dict[TopicPartition, list[Record]] = {}
        while not all(self._answered(tp) for tp in positions):
            for tp, records in self.poll(_FIRST_POLL_MS, _FIRST_RECORDS).items():
                first.setdefault(tp, []).extend(records)
            if time.monotonic() > deadline:
                raise failures.first_poll_unanswered(self._cluster)
        return first

    def committed(
        self, topic_partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, tuple[int, str]]:
        """Return the group's committed offsets with their metadata, where there are any."""
        with self._translated("asking for the group's offsets", self._needs(topic_partitions)):
            return self._committed(topic_partitions)

    def claim(self, offsets: dict[TopicPartition, int], metadata: str) -> None:
        """Commit `offsets` with `metadata` as the group's, and wait until the broker has them."""
        with self._translated("committing the group's first offsets", self._needs(offsets)):
            self._commit(offsets, metadata, wait=True)

    def commit(self, offsets: dict[TopicPartition, int], metadata: str) -> None:
        """Show progress as the group's offsets; a failure changes nothing and is ignored."""
        with contextlib.suppress(self._client.ERROR):
            self._commit(offsets, metadata, wait=False)

    @abstractmethod
    def _count(self, topic: str) -> int:
        """Return how many partitions a topic has; 0 if it is not there."""

    @abstractmethod
    def _assign(self, positions: dict[TopicPartition, int]) -> None:
        """Read these partitions from now on, at their positions."""

    @abstractmethod
    def _answered(self, tp: TopicPartition) -> bool:
        """Return whether the broker answered a poll of this partition."""

    @abstractmethod
    def _committed(
        self, topic_partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, tuple[int, str]]:
        """Ask for the group's offsets."""

    @abstractmethod
    def _commit(self, offsets: dict[TopicPartition, int], metadata: str, *, wait: bool) -> None:
        """Commit as the group."""
