"""Records and a group's offsets that are written together or not at all.

Whoever opens transactions under an id ends all others with it: what these had begun is taken
back, and their next transaction fails with a FencedError. After any other failure as well the
process had better end: whether a transaction was committed that got no answer, only a new start
finds out.
"""

import contextlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from server_monitoring.broker.reader import TopicPartition


class Outgoing(NamedTuple):
    """A record to be written; one without a value takes its key away from a compacted topic."""

    tp: TopicPartition
    key: bytes
    value: bytes | None


Offsets = Mapping[TopicPartition, tuple[int, str]]
"""The group's offsets with their metadata."""


class TransactionalProducer(Protocol):
    """What each client has; all of it raises the client's ERROR or TIMEOUT."""

    def begin(self) -> None:
        """Begin a transaction."""

    def send(self, record: Outgoing) -> None:
        """Give a record to the client."""

    def commit(self, offsets: Offsets) -> None:
        """Add the group's offsets, wait until the broker has all records, and commit."""

    def abort(self) -> None:
        """Take back what was begun."""

    def close(self) -> None:
        """Disconnect."""


class Transactions:
    """Transactions of one id, one after the other."""

    def __init__(
        self,
        producer: TransactionalProducer,
        translated: Callable[[], AbstractContextManager[None]],
        errors: tuple[type[Exception], ...],
    ) -> None:
        """Write by `producer`, whose `errors` become BrokerErrors where they are `translated`."""
        self._producer = producer
        self._translated = translated
        self._errors = errors

    def write(self, records: Iterable[Outgoing], offsets: Offsets) -> None:
        """Write records and the group's offsets in one transaction.

        Raises:
            FencedError: another process has opened transactions with this id since.
            BrokerError: no answer, or a refusal; nothing is written, unless the answer to the
                commit itself is what did not come.

        """
        with self._translated():
            try:
                self._producer.begin()
                for record in records:
                    self._producer.send(record)
                self._producer.commit(offsets)
            except BaseException:
                with contextlib.suppress(*self._errors):
                    self._producer.abort()
                raise


def needs(topics: Iterable[str], transactional_id: str, group_id: str) -> str:
    """Return the rights that transactions take, for messages."""
    return "; ".join(
        (
            *(f"Write on topic {topic}" for topic in topics),
            f"Read on group {group_id}",
            f"Write on transactional-id {transactional_id}",
        )
    )
