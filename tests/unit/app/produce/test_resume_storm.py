"""A producer that is killed anywhere, again and again, sends every row once."""

import contextlib
import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as options
from hypothesis import strategies as st
from server_monitoring.broker.patience import Patience
from server_monitoring.broker.reader import TopicPartition
from server_monitoring.errors import BrokerError
from server_monitoring.host.full_disk import FullDisk
from server_monitoring.host.runs import Run
from server_monitoring.model.wire import partition_for
from server_monitoring.produce import producer, sender
from server_monitoring.produce.pace import Pace
from server_monitoring.settings import config
from server_monitoring.sources.rows import Row

from tests.support.app_settings import settings, write_settings
from tests.unit.app.app_topics import FakeProducer, KilledError, Topics, rows

CPU, MEM = TopicPartition("topic-cpu", 0), TopicPartition("topic-mem", 0)


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
            patience = Patience(0, lambda *_: None)
            started, resumed = producer.start(
                self.config,
                self.run,
                "ab",
                Path("m.csv"),
                full_disk=self.full_disk,
                patience=patience,
            )
            sending = producer.Sending(
                self.config, self.run, started, Pace(), self.full_disk, patience, lambda *_: None
            )
            held = producer.find_sent(sending, lambda: iter(data)) if resumed else {}
            try:
                return producer.produce(sending, data, held, progress)
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
@options(max_examples=60)
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


@pytest.fixture
def calm(values: dict[str, Any], write: Callable[[object], Path]) -> Storm:
    """Return a run on topics that nobody else writes to."""
    return Storm(config.load(write(values)), Topics(), random.Random(1))


def test_a_request_that_arrives_during_the_next_start_is_a_duplicate_and_not_a_gap(
    calm: Storm,
) -> None:
    """The dead producer's last records land between those of its successor."""
    storm, topics, data = calm, calm.topics, rows(40)
    with pytest.raises(KilledError):
        storm.attempt(data, 30)
    late = {tp: list(log[-3:]) for tp, log in topics.logs.items()}
    with pytest.raises(KilledError):
        storm.attempt(data, 20)
    for tp, records in late.items():
        for record in records:
            topics.append(tp, record.headers)
    storm.check(data, storm.attempt(data, None))


def test_what_was_there_before_is_told_from_what_was_sent_now(calm: Storm) -> None:
    """So that rates are those of this start."""
    data = rows(40)
    first = calm.attempt(data, None)
    assert set(first.found.values()) == {0}
    second = calm.attempt(data, None)
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

    with pytest.raises(BrokerError, match=r"topic-mem: deleted and created again.*now another"):
        storm.attempt(rows(3), None, make_again)
