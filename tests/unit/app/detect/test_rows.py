"""Records that are rows of agents, and those that are not."""

from collections import Counter

from server_monitoring.broker.reader import TopicPartition
from server_monitoring.detect.rows import Row, rows
from server_monitoring.model.wire import partition_for

from tests.unit.app.app_answers import record

PARTITIONS = 3
OWN = partition_for("a", PARTITIONS)
TP = TopicPartition("topic-cpu", OWN)


def live(offset: int, ts: str, value: str = "1.5", server_id: str = "a", run: bytes = b"live"):  # type: ignore[no-untyped-def] # noqa: ANN201 - a client's record has no type
    """Return a record of an agent that the broker took at second 7."""
    content = f'{{"ts": "{ts}", "server_id": "{server_id}", "cpu_pct": {value}}}'
    return record(TP, offset, content.encode(), run)._replace(timestamp=7_000)


def test_records_become_rows_in_whole_units() -> None:
    """With the time of their arrival."""
    seen: Counter[str] = Counter()
    found = rows([live(3, "1970-01-01T01:00:05+01:00", "2.5")], "cpu_pct", OWN, PARTITIONS, seen)
    assert found == [Row(5, "a", 25 * 10**17, 3, 7.0)]
    assert not +seen


def test_what_is_no_row_is_counted_and_the_others_are_taken() -> None:
    """Of another run, no wire format, a time of day, a server of another partition."""
    seen: Counter[str] = Counter()
    given = [
        live(0, "1970-01-01T00:00:01Z"),
        live(1, "1970-01-01T00:00:02Z", run=b"r1"),
        live(2, "1970-01-01T00:00:03Z", "null"),
        live(3, "00:00:04"),
        live(4, "1970-01-01T00:00:05Z", server_id="b"),
        live(5, "1970-01-01T00:00:06Z"),
    ]
    assert partition_for("b", PARTITIONS) != OWN
    found = rows(given, "cpu_pct", OWN, PARTITIONS, seen)
    assert [row.offset for row in found] == [0, 5]
    assert seen == {"foreign": 1, "malformed": 2, "misplaced": 1}
