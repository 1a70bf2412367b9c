"""Records that are rows of agents, and those that are not."""

from collections import Counter

from server_monitoring.broker.reader import TopicPartition
from server_monitoring.detect.rows import Row, rows
from server_monitoring.model.senders import Senders
from server_monitoring.model.signature import sign
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
    given = [live(3, "1970-01-01T01:00:05+01:00", "2.5")]
    found = rows(given, "cpu_pct", TP, PARTITIONS, Senders(), seen)
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
    found = rows(given, "cpu_pct", TP, PARTITIONS, Senders(), seen)
    assert [row.offset for row in found] == [0, 5]
    assert seen == {"foreign": 1, "malformed": 2, "misplaced": 1}


def test_rows_that_their_server_has_not_signed_do_not_count() -> None:
    """Unsigned, by the key of another, of a server without a key, or one that is not watched."""
    keys = {"a": b"a" * 32, "c": b"c" * 32}

    def signed(offset: int, key: bytes, server_id: str = "a"):  # type: ignore[no-untyped-def] # noqa: ANN202 - a client's record
        given = live(offset, f"1970-01-01T00:00:0{offset}Z", server_id=server_id)
        given = given._replace(key=server_id.encode())
        mark = "signature", sign(key, TP.topic, given.key, given.value)
        return given._replace(headers=[*given.headers, mark])

    given = [
        live(0, "1970-01-01T00:00:00Z"),
        signed(1, keys["a"]),
        signed(2, keys["c"]),
        signed(3, keys["a"], "c"),
        signed(4, b"e" * 32, "e"),
        signed(5, keys["a"])._replace(key=b"other"),
    ]
    seen: Counter[str] = Counter()
    of = "cpu_pct", TopicPartition(TP.topic, 0), 1
    assert [r.offset for r in rows(given, *of, Senders(keys=keys), seen)] == [1]
    assert +seen == {"unsigned": 5}
    only_c = Senders(frozenset({"c"}), keys)
    seen.clear()
    assert rows(given, *of, only_c, seen) == []
    assert +seen == {"unlisted": 5, "unsigned": 1}
