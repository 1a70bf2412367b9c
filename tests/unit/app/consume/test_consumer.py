"""The consumer's loop without a broker: a reader that answers what a test gives it."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kafka.consumer.fetcher import ConsumerRecord
from server_monitoring.broker.reader import TopicPartition
from server_monitoring.consume import consumer
from server_monitoring.errors import BrokerError, StorageError
from server_monitoring.store.sidecar import read_sidecar

from tests.unit.app.app_answers import CPU, IDLE, MEM, PATIENCE, Answers, publish, record, value


def test_the_loop_stores_shows_progress_and_stops_at_the_end_offsets(
    start: Callable[[Answers], consumer.Consumer],
) -> None:
    """Foreign records move the offset and are not stored."""
    reader = Answers(
        [
            {CPU: [record(CPU, 10, value("cpu_pct")), record(CPU, 11, b"?", b"r0")]},
            {MEM: [record(MEM, 10, value("mem_pct", "2"))]},
        ]
    )
    made = start(reader)
    publish(made, 12, 11)
    assert made.run(lambda: False, lambda: None)
    made.close()
    assert made.segments[CPU].path.read_text() == "ts,server_id,cpu_pct\n20:52:00,a,1.5\n"
    assert made.segments[MEM].path.read_text() == "ts,server_id,mem_pct\n20:52:00,a,2.0\n"
    assert (made.totals("foreign"), made.totals("rows")) == (
        {"topic-cpu": 1, "topic-mem": 0},
        {"topic-cpu": 1, "topic-mem": 1},
    )
    assert read_sidecar(made.segments[CPU].path).offset == 12
    assert reader.shown == [{CPU: 12}, {MEM: 11}]


def test_end_offsets_that_cannot_be_reached_become_an_error_and_not_a_hang(
    start: Callable[[Answers], consumer.Consumer],
) -> None:
    """After a minute without records the partition and both offsets are named."""
    reader = Answers([])
    made = start(reader)
    publish(made, 10, 12)
    with pytest.raises(BrokerError, match="topic-mem: partition 0 stands at offset 10 of 12"):
        made.run(lambda: reader.now > 1000, lambda: None)
    made.close()
    assert PATIENCE < reader.now <= PATIENCE + 20


def test_without_end_offsets_the_consumer_waits_until_it_is_stopped(
    start: Callable[[Answers], consumer.Consumer],
) -> None:
    """A producer that is late is no error; what came is stored."""
    reader = Answers([{CPU: [record(CPU, 10, value("cpu_pct"))]}])
    made = start(reader)
    assert not made.run(lambda: reader.now > 1000, lambda: None)
    made.close()
    assert read_sidecar(made.segments[CPU].path).rows == 1


def test_a_run_of_which_nothing_comes_any_more_is_left(
    start: Callable[[Answers], consumer.Consumer],
) -> None:
    """Its control machine is gone; the reason says so, and what was stored stays."""
    reader = Answers([{CPU: [record(CPU, 10, value("cpu_pct"))]}])
    made = start(reader)
    with pytest.raises(BrokerError, match="run r1: no record and no end offsets within 2000 s"):
        made.run(lambda: reader.now > 10 * IDLE, lambda: None)
    made.close()
    assert IDLE < reader.now <= IDLE + 30
    assert read_sidecar(made.segments[CPU].path).rows == 1


def test_a_run_of_which_other_hosts_store_rows_is_waited_for(
    start: Callable[[Answers], consumer.Consumer],
) -> None:
    """None of its servers may fall to this host's partitions for a long time."""
    reader = Answers([], partitions=2)
    made = start(reader)
    other = TopicPartition("topic-cpu", 1)

    def send_elsewhere() -> None:
        reader.ends[other] = 10 + int(reader.now)

    assert not made.run(lambda: reader.now > 3 * IDLE, send_elsewhere)
    with pytest.raises(BrokerError, match="no record and no end offsets"):
        made.run(lambda: reader.now > 10 * IDLE, lambda: None)
    made.close()


def numbered(first: int, rows: list[int]) -> list[ConsumerRecord]:
    """Return cpu records from offset `first` on, each with its row number as value."""
    return [
        record(CPU, first + place, value("cpu_pct", f"{row}.0"), row=row)
        for place, row in enumerate(rows)
    ]


def test_rows_of_an_earlier_poll_are_known_when_they_come_again(
    start: Callable[[Answers], consumer.Consumer],
) -> None:
    """The first poll is taken at once as a whole, the second one has to be looked through."""
    reader = Answers([{CPU: numbered(10, [2, 5, 7])}, {CPU: numbered(13, [5, 7, 9])}])
    made = start(reader)
    publish(made, 16, 10)
    assert made.run(lambda: False, lambda: None)
    made.close()
    stored = made.segments[CPU].path.read_text().splitlines()[1:]
    assert [line.rpartition(",")[2] for line in stored] == ["2.0", "5.0", "7.0", "9.0"]
    assert made.totals("duplicates")["topic-cpu"] == 2


def test_a_row_that_was_sent_twice_is_stored_once_and_counted(
    start: Callable[[Answers], consumer.Consumer],
) -> None:
    """Within a poll, across polls, and after a restart of the consumer."""
    reader = Answers([{CPU: numbered(10, [2, 5, 7, 5, 7])}, {CPU: numbered(15, [2, 7, 9])}])
    made = start(reader)
    assert not made.run(lambda: reader.now > 100, lambda: None)
    made.close()
    reader.polls = [{CPU: numbered(18, [9, 5, 12])}]
    again = start(reader)
    publish(again, 21, 10)
    assert again.run(lambda: False, lambda: None)
    again.close()
    path = again.segments[CPU].path
    values = [line.rpartition(",")[2] for line in path.read_text().splitlines()[1:]]
    assert values == ["2.0", "5.0", "7.0", "9.0", "12.0"]
    state = read_sidecar(path)
    assert (state.rows, state.duplicates, state.last_row, state.offset) == (5, 6, 12, 21)
    assert again.totals("duplicates") == {"topic-cpu": 6, "topic-mem": 0}


@pytest.mark.parametrize("row", [b"", b"x", b"-1", b"0", b"1.5", b"9" * 19, None])
def test_a_record_without_a_row_number_is_malformed(
    start: Callable[[Answers], consumer.Consumer], row: bytes | None
) -> None:
    """It cannot be told from one that was sent twice."""
    odd = record(CPU, 10, value("cpu_pct"))
    odd = odd._replace(headers=[("run_id", b"r1"), ("row", row)])
    bare = odd._replace(offset=11, headers=[("run_id", b"r1")])
    reader = Answers([{CPU: [odd, bare, record(CPU, 12, value("cpu_pct"))]}])
    made = start(reader)
    publish(made, 13, 10)
    assert made.run(lambda: False, lambda: None)
    made.close()
    assert (made.totals("malformed"), made.totals("rows")) == (
        {"topic-cpu": 2, "topic-mem": 0},
        {"topic-cpu": 1, "topic-mem": 0},
    )


def test_a_topic_made_again_during_the_run_is_an_error(
    start: Callable[[Answers], consumer.Consumer],
) -> None:
    """Also when its records look like the run's end; and the next start refuses the segment."""
    reader = Answers([{CPU: [record(CPU, 10, value("cpu_pct"))]}])
    made = start(reader)
    publish(made, 11, 10)
    reader.ids["topic-cpu"] = "id-new"
    with pytest.raises(BrokerError, match=r"topic topic-cpu: deleted and created again.*id-new"):
        made.run(lambda: False, lambda: None)
    made.close()
    with pytest.raises(StorageError, match="found topic id id-cpu, but topic topic-cpu is now id-"):
        start(reader)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"topic-cpu": {"0": 12}}', '{"topic-cpu": 1}'])
def test_half_a_file_of_end_offsets_is_not_there_yet(tmp_path: Path, content: str) -> None:
    """It is copied while the consumer looks."""
    path = tmp_path / "end_offsets.json"
    assert consumer.read_end_offsets(path, [CPU, MEM]) is None
    path.write_text(content)
    assert consumer.read_end_offsets(path, [CPU, MEM]) is None


def test_a_disk_that_fills_up_ends_the_loop_and_leaves_what_was_stored(
    start: Callable[[Answers], consumer.Consumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next start resumes at the stored offset."""
    batches: list[dict[Any, list[Any]]] = [
        {CPU: [record(CPU, offset, value("cpu_pct"))]} for offset in (10, 11)
    ]
    reader = Answers(batches)
    made = start(reader)
    real = os.write
    written = []

    def fill_up(fd: int, data: bytes) -> int:
        written.append(data)
        if len(written) > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(fd, data)

    monkeypatch.setattr(os, "write", fill_up)
    with pytest.raises(StorageError, match="No space left on device"):
        made.run(lambda: reader.now > 1000, lambda: None)
    monkeypatch.undo()
    made.close()
    again = start(Answers([]))
    assert (again.segments[CPU].state.offset, again.segments[CPU].state.rows) == (11, 1)
    again.close()


def test_the_loop_ends_while_others_go_on_writing(
    start: Callable[[Answers], consumer.Consumer],
) -> None:
    """Records of others after the end offsets do not keep it from its end."""
    begin = {
        CPU: [record(CPU, 10, value("cpu_pct"))],
        MEM: [record(MEM, 10, value("mem_pct"))],
    }
    others = [{CPU: [record(CPU, offset, b"?", b"r0")]} for offset in range(11, 31)]
    reader = Answers([begin, *others])
    made = start(reader)
    publish(made, 11, 11)
    assert made.run(lambda: False, lambda: None)
    made.close()
    assert made.totals("rows") == {"topic-cpu": 1, "topic-mem": 1}
    assert reader.polls, "it went on to the last record of others"
