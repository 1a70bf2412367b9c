"""A producer that goes on: which rows are there, whether any is missing, and crashes anywhere."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from server_monitoring.broker.reader import TopicPartition
from server_monitoring.errors import BrokerError
from server_monitoring.host.full_disk import FullDisk
from server_monitoring.host.runs import Run
from server_monitoring.model import groups
from server_monitoring.model.wire import partition_for
from server_monitoring.produce import resume, sender
from server_monitoring.produce.marker import Marker
from server_monitoring.sources.rows import Row

from tests.unit.app.app_topics import Topics, rows

CPU, MEM = TopicPartition("topic-cpu", 0), TopicPartition("topic-mem", 0)


def marker(starts: dict[str, dict[str, int]]) -> Marker:
    """Return a marker with these start offsets."""
    return Marker("r1", "ab", dict.fromkeys(starts, "c"), {}, starts)


def found(topics: Topics, row: int, offset: int) -> resume.Found:
    """Return what is found in the cpu partition behind a checkpoint."""
    ends = {"topic-cpu": {"0": len(topics.logs[CPU])}}
    checkpoint = resume.Checkpoint(row, {"topic-cpu": {"0": offset}})
    return resume.find(topics, "r1", checkpoint, ends)[CPU]


def test_the_last_row_is_found_among_records_of_others() -> None:
    """However many there are, and also when they carry no row number at all."""
    topics = Topics()
    topics.add(CPU, *range(1, 4), run_id=b"r0")
    topics.add(CPU, 2, 3, 5)
    topics.add(CPU, *range(1, 3_001), run_id=b"r2")
    topics.append(CPU, [("run_id", b"r1"), ("row", b"x")])
    topics.append(CPU, [])
    assert found(topics, 0, 3) == resume.Found(3, 5)


def test_nothing_before_the_checkpoint_is_read() -> None:
    """Starting again costs the same after an hour as after a minute."""
    topics = Topics()
    topics.add(CPU, *range(2, 50_002))
    assert found(topics, 49_000, 48_998) == resume.Found(1_001, 50_001)
    assert topics.read == 1_002
    assert found(topics, 50_001, 50_000) == resume.Found(0, 50_001)


def test_rows_sent_twice_count_once_and_do_not_hide_a_later_one() -> None:
    """Requests of a killed producer may arrive after those of its successor."""
    topics = Topics()
    topics.add(CPU, 2, 3, 4, 5, 4, 5)
    topics.add(CPU, 2, 3)
    assert found(topics, 0, 0) == resume.Found(4, 5)
    assert found(topics, 4, 1) == resume.Found(1, 5)


def test_records_before_the_runs_start_do_not_count() -> None:
    """An earlier run may have had the same name and another data set."""
    topics = Topics()
    topics.add(CPU, 7, 8, 9)
    assert found(topics, 0, 3) == resume.Found(0, 0)
    topics.add(CPU, 2)
    assert found(topics, 0, 3) == resume.Found(1, 2)


def test_what_retention_deleted_is_not_asked_for() -> None:
    """The count is short then, and the run is refused."""
    topics = Topics()
    topics.add(CPU, 2, 3, 5)
    topics.first[CPU] = 1
    assert found(topics, 0, 0) == resume.Found(2, 5)


DATA = [Row(line, "20:52:00", "a", ["1.0"]) for line in (2, 3, 5, 6)]


@pytest.mark.parametrize(
    ("own", "after", "missing"),
    [
        ([], 0, 0),
        ([2, 3, 5], 0, 0),
        ([2, 3, 2, 3, 5], 0, 0),
        ([5, 6], 3, 0),
        ([3, 5], 3, 0),
        ([2, 5], 0, 1),
        ([2, 2, 5], 0, 1),
        ([5], 0, 2),
        ([6], 3, 1),
    ],
)
def test_a_gap_before_the_last_row_is_refused(own: list[int], after: int, missing: int) -> None:
    """A missing row sent now would be dropped as one that was sent twice."""
    topics = Topics(1)
    topics.add(CPU, *own)
    topics.add(CPU, *range(1, missing + 1), run_id=b"r2")
    metrics = [groups.Metric("topic-cpu", "cpu_pct", "avg_cpu")]
    checkpoint = resume.Checkpoint(after, {"topic-cpu": {"0": 0}})
    at = {CPU: found(topics, after, 0)}
    if not missing:
        resume.check_whole(at, checkpoint, iter(DATA), metrics)
        return
    with pytest.raises(BrokerError, match=f"ends with line {own[-1]}, but {missing} rows before"):
        resume.check_whole(at, checkpoint, iter(DATA), metrics)


def test_each_partition_is_compared_with_its_own_rows() -> None:
    """Topics may have different numbers of partitions, and different last rows."""
    topics, data = Topics(), rows(30, metrics=2)
    metrics = [groups.Metric(t, t[-3:], "o") for t in ("topic-cpu", "topic-mem")]
    for row in data:
        topics.add(TopicPartition("topic-cpu", partition_for(row.server_id, 3)), row.line)
        if row.line <= 20 and row.values[1]:
            topics.add(MEM, row.line)
    starts = {"topic-cpu": {"0": 0, "1": 0, "2": 0}, "topic-mem": {"0": 0}}
    checkpoint = resume.Checkpoint(0, starts)
    ends = {t: {p: len(topics.logs[TopicPartition(t, int(p))]) for p in starts[t]} for t in starts}
    at = resume.find(topics, "r1", checkpoint, ends)
    resume.check_whole(at, checkpoint, iter(data), metrics)
    at[MEM] = resume.Found(at[MEM].rows - 1, at[MEM].last)
    with pytest.raises(BrokerError, match=r"topic topic-mem: partition 0 ends .* 1 rows before"):
        resume.check_whole(at, checkpoint, iter(data), metrics)


@pytest.mark.parametrize(
    "content", [None, "", "{", "[]", "{}", '{"row": 9, "offsets": {"topic-cpu": {}}}', '{"row": 1}']
)
def test_without_a_usable_checkpoint_the_run_is_read_from_its_beginning(
    tmp_path: Path, content: str | None
) -> None:
    """It saves time and nothing else."""
    run = Run(tmp_path, "r1")
    run.create()
    if content is not None:
        resume.checkpoint_path(run).write_text(content)
    started = marker({"topic-cpu": {"0": 3}})
    assert resume.read_checkpoint(run, started) == resume.Checkpoint(0, {"topic-cpu": {"0": 3}})
    noted = resume.Checkpoint(9, {"topic-cpu": {"0": 7}})
    resume.write_checkpoint(run, noted)
    assert resume.read_checkpoint(run, started) == noted


def test_an_offset_that_the_client_does_not_know_leaves_the_one_before(tmp_path: Path) -> None:
    """It says -1 for a batch that the broker had taken before; an earlier offset is no loss."""
    run = Run(tmp_path, "r1")
    run.create()
    first = resume.Checkpoint(4, {"topic-cpu": {"0": 7}, "topic-mem": {"0": 8}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sender, "CHECKPOINT_SECONDS", 0)
        checkpoints = sender.Checkpoints(run, first, FullDisk([tmp_path], 0, print))
        pending: list[Any] = [
            (SimpleNamespace(value=SimpleNamespace(offset=offset)), 5, *tp)
            for tp, offset in ((CPU, 9), (CPU, -1), (MEM, -1))
        ]
        checkpoints.settled(sender.Chunk(1, 5, pending))
    started = marker(first.offsets)
    noted = resume.Checkpoint(5, {"topic-cpu": {"0": 9}, "topic-mem": {"0": 8}})
    assert resume.read_checkpoint(run, started) == noted
