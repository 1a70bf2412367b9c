"""A producer that goes on: which rows are there, whether any is missing, and crashes anywhere."""

import contextlib
import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from app_settings import settings, write_settings
from app_topics import FakeProducer, KilledError, Topics
from hypothesis import given
from hypothesis import settings as options
from hypothesis import strategies as st
from server_monitoring import config, producer, resume, sender
from server_monitoring.dataset import Row
from server_monitoring.errors import BrokerError
from server_monitoring.full_disk import FullDisk
from server_monitoring.marker import Marker
from server_monitoring.pace import Pace
from server_monitoring.reader import TopicPartition
from server_monitoring.records import partition_for
from server_monitoring.runs import Run

CPU, MEM = TopicPartition("topic-cpu", 0), TopicPartition("topic-mem", 0)


def marker(starts: dict[str, dict[str, int]]) -> Marker:
    """Return a marker with these start offsets."""
    return Marker("r1", "ab", dict.fromkeys(starts, "c"), {}, starts)


def rows(count: int, metrics: int = 4) -> list[Row]:
    """Return rows of 7 servers whose lines have holes, as skipped bad rows leave them."""
    values = [["1.0"] * metrics, ["1.0"] * (metrics - 1) + [""]]
    return [Row(2 + i * 3 // 2, "20:52:00", f"s{i % 7}", values[i % 5 == 4]) for i in range(count)]


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
    metrics = [config.Metric("topic-cpu", "cpu_pct", "avg_cpu")]
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
    metrics = [config.Metric(t, t[-3:], "o") for t in ("topic-cpu", "topic-mem")]
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


class Storm:
    """A run whose producer is killed again and again."""

    def __init__(self, loaded: config.Config, topics: Topics, rng: random.Random) -> None:
        """Send the rows of one data set to `topics`."""
        self.config = loaded
        self.topics = topics
        self.rng = rng
        self.run = Run(loaded.data_dir, "r1")
        self.run.create()
        self.full_disk = FullDisk([self.run.directory], 0, print)

    def attempt(
        self,
        data: list[Row],
        kill_after: int | None,
        progress: Callable[[int, int], None] = lambda *_: None,
    ) -> sender.Sent:
        """Start the producer once, as the command does."""
        fake = FakeProducer(self.topics, self.rng, kill_after)
        with pytest.MonkeyPatch.context() as patch:
            client = SimpleNamespace(
                ERROR=KeyError,
                TIMEOUT=TimeoutError,
                open_producer=fake.open,
                open_reader=lambda *_: self.topics,
                translated=lambda *_: contextlib.nullcontext(),
                refusal=lambda *_: None,
            )
            patch.setattr(producer, "client_for", lambda _: client)
            patch.setattr(producer, "ROWS_PER_CHUNK", 5)
            patch.setattr(sender, "CHECKPOINT_SECONDS", self.rng.choice([0, 60]))
            started, resumed = producer.start(
                self.config, self.run, "ab", Path("m.csv"), self.full_disk
            )
            held = {}
            if resumed:
                held = producer.find_sent(self.config, self.run, started, lambda: iter(data))
            try:
                return producer.produce(
                    self.config, self.run, started, data, held, Pace(), progress, self.full_disk
                )
            except KilledError:
                # What was under way may arrive now, or when the next start has begun to send.
                for tp in fake.queues:
                    fake.arrive(tp, self.rng.randrange(6))
                raise

    def check(self, data: list[Row], sent: sender.Sent) -> None:
        """Each topic has each row with a value once, in order, as consumers count."""
        for place, (topic, count) in enumerate(sent.rows.items()):
            wanted = [row for row in data if row.values[place]]
            assert count == len(wanted)
            for partition in range(self.topics.count):
                assert self.topics.stored(TopicPartition(topic, partition)) == [
                    row.line
                    for row in wanted
                    if partition_for(row.server_id, self.topics.count) == partition
                ]


@given(
    seed=st.integers(0, 2**32),
    count=st.integers(1, 60),
    kills=st.lists(st.integers(0, 250), max_size=5),
    foreign=st.booleans(),
)
@options(max_examples=60, deadline=None)
def test_a_producer_killed_anywhere_and_started_again_sends_every_row_once(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    count: int,
    kills: list[int],
    *,
    foreign: bool,
) -> None:
    """Whatever was under way when it died, and whoever else writes to the topics."""
    directory = tmp_path_factory.mktemp("storm")
    loaded = config.load(write_settings(directory / "c.yml", settings(directory)))
    rng = random.Random(seed)
    topics = Topics()
    for partition in range(3):
        topics.add(TopicPartition("topic-cpu", partition), 1, 2, 3, run_id=b"r0")
    storm, data = Storm(loaded, topics, rng), rows(count)
    for kill_after in kills:
        with contextlib.suppress(KilledError):
            storm.attempt(data, kill_after)
        if foreign:
            topics.add(TopicPartition("topic-net", rng.randrange(3)), 1, 2, run_id=b"r9")
    storm.check(data, storm.attempt(data, None))


def test_a_request_that_arrives_during_the_next_start_is_a_duplicate_and_not_a_gap(
    values: dict[str, Any], write: Callable[[object], Path]
) -> None:
    """The dead producer's last records land between those of its successor."""
    topics, data = Topics(), rows(40)
    storm = Storm(config.load(write(values)), topics, random.Random(1))
    with pytest.raises(KilledError):
        storm.attempt(data, 30)
    late = {tp: list(log[-3:]) for tp, log in topics.logs.items()}
    with pytest.raises(KilledError):
        storm.attempt(data, 20)
    for tp, records in late.items():
        for record in records:
            topics.append(tp, record.headers)
    storm.check(data, storm.attempt(data, None))


def test_what_was_there_before_is_told_from_what_was_sent_now(
    values: dict[str, Any], write: Callable[[object], Path]
) -> None:
    """So that rates are those of this start."""
    topics, data = Topics(), rows(40)
    storm = Storm(config.load(write(values)), topics, random.Random(1))
    first = storm.attempt(data, None)
    assert set(first.found.values()) == {0}
    second = storm.attempt(data, None)
    assert second.found == second.rows == first.rows
    assert second.end_offsets == first.end_offsets


def test_a_topic_made_again_while_rows_are_sent_is_an_error(
    values: dict[str, Any], write: Callable[[object], Path]
) -> None:
    """What was sent before is gone, although everything was acknowledged."""
    topics = Topics()
    storm = Storm(config.load(write(values)), topics, random.Random(1))

    def make_again(*_: int) -> None:
        topics.ids["topic-mem"] = "another"

    with pytest.raises(BrokerError, match=r"topic topic-mem: deleted and made again.*now another"):
        storm.attempt(rows(3), None, make_again)
