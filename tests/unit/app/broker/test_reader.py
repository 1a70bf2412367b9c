"""Reading a range of a partition, over any client's reader."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from server_monitoring.broker import reader
from server_monitoring.broker.reader import Reader, TopicPartition
from server_monitoring.errors import BrokerError

TP = TopicPartition("t", 2)


class Scripted(Reader):
    """Gives records by their offsets, poll by poll; a lone number is where the position moves."""

    def __init__(self, *polls: Sequence[int] | int) -> None:
        """Answer `polls` in turn, then nothing."""
        self.polls = list(polls)
        self.at = 0
        self.started: dict[TopicPartition, int] = {}

    def _next(self) -> dict[TopicPartition, list[Any]]:
        answer = self.polls.pop(0) if self.polls else ()
        if isinstance(answer, int):
            self.at = answer
            return {}
        if answer:
            self.at = answer[-1] + 1
        return {TP: [SimpleNamespace(offset=offset) for offset in answer]}

    def start(self, positions: dict[TopicPartition, int]) -> dict[TopicPartition, list[Any]]:
        """Remember where it began."""
        self.started = dict(positions)
        self.at = positions[TP]
        return self._next()

    def poll(self, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Any]]:
        """Return the next answer."""
        assert timeout_ms > 0 < max_records
        return self._next()

    def position(self, tp: TopicPartition) -> int:
        """Return the next offset to be read."""
        assert tp == TP
        return self.at


@pytest.mark.parametrize(
    ("polls", "offsets"),
    [
        (([5, 6, 7],), [5, 6, 7]),
        (([5], [6], [7]), [5, 6, 7]),
        (([], [], [5, 6], [], [7]), [5, 6, 7]),
        (([5, 6, 7, 8, 9],), [5, 6, 7]),
        (([5], [7, 8]), [5, 7]),
        (([5], 9), [5]),
        (([5], [9]), [5]),
        ((8,), []),
    ],
)
def test_exactly_the_records_of_the_range_are_given(
    polls: tuple[Sequence[int] | int, ...], offsets: list[int]
) -> None:
    """However they come, with offsets that nobody has, and with records behind the range."""
    scripted = Scripted(*polls)
    assert [record.offset for record in scripted.records(TP, 5, 8)] == offsets
    assert scripted.started == {TP: 5}


def test_a_range_that_does_not_come_is_an_error_and_not_a_hang(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Topic, partition and offset are named; what came before was given."""
    monkeypatch.setattr(reader, "READ_SECONDS", 0.01)
    records = Scripted([5]).records(TP, 5, 8)
    assert next(records).offset == 5
    with pytest.raises(BrokerError, match="topic t: partition 2 gave no record from offset 6 on"):
        next(records)


class Named(Reader):
    """Knows topics by their ids as they are now."""

    def topic_ids(self, topics: Sequence[str]) -> dict[str, str]:
        """Return those that are asked for."""
        return {topic: {"t": "id-1", "u": "id-2"}[topic] for topic in topics}


def test_a_topic_that_was_created_again_is_told_from_the_same_one() -> None:
    """By its id; other topics do not matter."""
    Named().check_same({"t": "id-1"})
    with pytest.raises(BrokerError, match=r"topic u: deleted .* \(topic id id-0, now id-2\)"):
        Named().check_same({"t": "id-1", "u": "id-0"})


def test_each_client_must_offer_everything() -> None:
    """What a reader does not have is an error at once."""
    bare = Reader()
    with bare, pytest.raises(NotImplementedError):
        bare.partitions("t")
