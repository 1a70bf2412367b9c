"""From rows to records, and from the client's errors to a line that names row and topic."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import confluent_kafka
import pytest
from server_monitoring.broker import client as broker
from server_monitoring.broker import failures, limits
from server_monitoring.broker.clients.confluent_common import RefusedError
from server_monitoring.broker.clients.confluent_producer import ConfluentProducer
from server_monitoring.broker.cluster import Cluster
from server_monitoring.broker.reader import TopicPartition
from server_monitoring.errors import AuthenticationError, BrokerError, UnreachableError
from server_monitoring.host.full_disk import FullDisk
from server_monitoring.host.runs import Run
from server_monitoring.model.groups import Metric
from server_monitoring.model.wire import partition_for, row_number
from server_monitoring.produce import resume, sender
from server_monitoring.produce.marker import Marker
from server_monitoring.sources.rows import Row

METRICS = [Metric("t-cpu", "cpu", "a"), Metric("t-mem", "mem", "b")]
STARTS = {"t-cpu": {"0": 0, "1": 0, "2": 0}, "t-mem": {"0": 0}}
MARKER = Marker("r1", "ab", {}, {}, STARTS)
ROWS = [Row(line, "20:52:00", f"s{line % 3}", ["1.0", "2.0"]) for line in (2, 3, 5, 6)]


class RefuseError(Exception):
    """The client's ERROR."""


class Client:
    """A client that keeps what it is given, and may raise at one record."""

    ERROR = RefuseError
    TIMEOUT = TimeoutError

    def __init__(self, fail_at: int = -1, error: Exception | None = None) -> None:
        """Raise `error` at record number `fail_at`."""
        self.records: list[tuple[Any, ...]] = []
        self.fail_at = fail_at
        self.error = error

    def refusal(self, *_: object) -> None:
        """Know of no user."""

    @contextlib.contextmanager
    def translated(self, cluster: Cluster, doing: str) -> Iterator[None]:
        """Know silence from a refusal."""
        try:
            yield
        except TimeoutError as error:
            raise failures.no_answer(cluster, doing) from error
        except RefuseError as error:
            raise failures.failed(cluster, str(error), doing) from error

    def send(self, *record: Any) -> Any:
        """Keep a record."""
        if len(self.records) == self.fail_at and self.error is not None:
            raise self.error
        self.records.append(record)
        return SimpleNamespace(is_done=True, failed=lambda: False, value=broker.Ack(7))


def made(
    client: Client,
    held: resume.Rows | None = None,
    tell: Callable[[float, object], object] = lambda *_: None,
) -> tuple[sender.Sender, sender.Sent]:
    """Return a sender and its counts."""
    sent = sender.Sent({"t-cpu": 0, "t-mem": 0}, {"t-cpu": 0, "t-mem": 0})
    cluster = Cluster(("127.0.0.1:9",))
    any_client: Any = client
    return (
        sender.Sender(any_client, any_client, cluster, MARKER, METRICS, held or {}, sent, tell),
        sent,
    )


def test_a_row_becomes_a_record_of_each_metric_in_the_servers_partition() -> None:
    """Key, headers and value are those of the wire format."""
    client = Client()
    chunk = made(client)[0].send(ROWS)
    assert (chunk.rows, chunk.last_line, len(chunk.pending)) == (4, 6, 8)
    topic, value, key, headers, partition = client.records[2]
    assert (topic, key, partition) == ("t-cpu", b"s0", partition_for("s0", 3))
    assert json.loads(value) == {"ts": "20:52:00", "server_id": "s0", "cpu": 1.0}
    assert headers == [("run_id", b"r1"), ("row", b"3")]
    assert {record[4] for record in client.records if record[0] == "t-mem"} == {0}


def test_a_metric_without_a_value_is_not_sent_and_not_counted() -> None:
    """The others of its row are."""
    client = Client()
    sending, sent = made(client)
    sending.send([Row(2, "20:52:00", "a", ["", "2.0"]), Row(3, "20:52:00", "a", ["1.0", ""])])
    assert [record[0] for record in client.records] == ["t-mem", "t-cpu"]
    assert sent.rows == {"t-cpu": 1, "t-mem": 1}


def test_rows_up_to_the_last_one_of_their_partition_are_left_out_and_counted() -> None:
    """Each topic and partition has its own last row."""
    client = Client()
    cpu = TopicPartition("t-cpu", partition_for("s2", 3))
    sending, sent = made(client, {cpu: 2, TopicPartition("t-mem", 0): 5})
    sending.send(ROWS)
    lines = {t: [row_number(r[3]) for r in client.records if r[0] == t] for t in sent.rows}
    own = [row.line for row in ROWS if partition_for(row.server_id, 3) == cpu.partition]
    assert lines["t-mem"] == [6]
    assert lines["t-cpu"] == [row.line for row in ROWS if row.line > 2 or row.line not in own]
    assert sent.rows == {"t-cpu": 4, "t-mem": 4}
    assert sent.found == {"t-cpu": 4 - len(lines["t-cpu"]), "t-mem": 3}


def test_a_record_that_the_client_does_not_take_is_named_by_line_and_topic() -> None:
    """Here the fourth one: row 3's of the second topic."""
    with pytest.raises(BrokerError) as caught:
        made(Client(3, RefuseError("too large")))[0].send(ROWS)
    assert str(caught.value).startswith(
        "topic t-mem: the record of line 3 was not accepted: too large; see the broker's log"
    )


def test_a_broker_that_does_not_take_more_in_time_is_named_with_the_line() -> None:
    """The client's queue stays full, or the topic's leader unknown."""
    with pytest.raises(
        BrokerError, match=r"127\.0\.0\.1:9: no answer in time while sending line 5 "
    ):
        made(Client(4, TimeoutError()))[0].send(ROWS)


def settled(
    tmp_path: Path, future: Any, tell: Callable[[float, object], object] = lambda *_: None
) -> int:
    """Settle a chunk of one record."""
    run = Run(tmp_path, "r1")
    run.create()
    checkpoints = sender.Checkpoints(
        run, resume.Checkpoint(0, STARTS), FullDisk([tmp_path], 0, print)
    )
    chunk = sender.Chunk(3, 9, [(future, 9, "t-cpu", 0)])
    return sender.settle(chunk, checkpoints, 25, made(Client(), tell=tell)[0])


def test_a_future_that_failed_is_named_by_line_and_topic(tmp_path: Path) -> None:
    """Also one whose reason says nothing."""

    def get(timeout: float) -> None:
        assert timeout == limits.DOUBT_SECONDS
        raise RefuseError

    future = SimpleNamespace(is_done=True, failed=lambda: True, get=get)
    with pytest.raises(
        BrokerError, match="t-cpu: the record of line 9 was not accepted: RefuseError;"
    ):
        settled(tmp_path, future)


def test_a_future_without_an_answer_is_no_refusal(tmp_path: Path) -> None:
    """Whoever started the producer may try again later: the status says so."""

    def get(timeout: float) -> None:
        raise TimeoutError(timeout)

    future = SimpleNamespace(is_done=True, failed=lambda: True, get=get)
    with pytest.raises(UnreachableError, match="while sending line 9 to topic t-cpu"):
        settled(tmp_path, future)


def test_a_future_that_is_not_decided_is_waited_for(tmp_path: Path) -> None:
    """The chunk counts when all its records are there; meanwhile it is told what is awaited."""
    told: list[tuple[float, object]] = []
    waited: list[float] = []

    def get(timeout: float) -> None:
        waited.append(timeout)
        if len(waited) < 3:
            raise TimeoutError

    future = SimpleNamespace(is_done=False, failed=lambda: False, get=get)
    assert settled(tmp_path, future, lambda *said: told.append(said)) == 3
    assert [(round(left), why) for left, why in told] == [(20, "no acknowledgement")] * 2
    assert waited == [limits.DOUBT_SECONDS] * 3


def test_credentials_that_are_not_taken_any_longer_end_the_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client would try until the record's time is over."""
    refused = AuthenticationError("refused")
    monkeypatch.setattr("server_monitoring.broker.failures.connection_error", lambda _: refused)

    waited: list[float] = []

    def get(timeout: float) -> None:
        waited.append(timeout)
        raise TimeoutError

    future = SimpleNamespace(is_done=False, failed=lambda: False, get=get)
    with pytest.raises(AuthenticationError, match="refused"):
        settled(tmp_path, future)
    assert waited == [limits.DOUBT_SECONDS]


class Library:
    """librdkafka's producer, with a queue of two records."""

    def __init__(self, _: dict[str, Any]) -> None:
        """Begin with an empty queue, which polling empties while there is a broker."""
        self.queue: list[Callable[[Any, Any], None]] = []
        self.error: Any = None
        self.away = False

    def produce(self, *_: Any, on_delivery: Callable[[Any, Any], None], **__: Any) -> None:
        """Queue a record."""
        if len(self.queue) == 2:
            raise BufferError
        self.queue.append(on_delivery)

    def poll(self, timeout: float) -> None:
        """Decide what is queued."""
        assert timeout >= 0
        if not self.away:
            while self.queue:
                self.queue.pop(0)(self.error, SimpleNamespace(offset=lambda: 5))

    def flush(self, timeout: float) -> int:
        """Decide what is queued; return how much is left."""
        self.poll(timeout)
        return len(self.queue)


@pytest.fixture
def confluent(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a producer of confluent-kafka over a library without a network."""
    monkeypatch.setattr(confluent_kafka, "Producer", Library)
    return ConfluentProducer(Cluster(("127.0.0.1:9",)), 0.05, "lz4")


def test_a_full_queue_of_confluent_is_waited_for(confluent: Any) -> None:
    """Every record is taken, and acknowledged with its offset."""
    futures = [confluent.send("t", b"v", b"k", [], 0) for _ in range(5)]
    confluent.flush(1)
    assert [future.get(1).offset for future in futures] == [5] * 5
    assert all(future.is_done and not future.failed() for future in futures)


def test_a_queue_of_confluent_that_stays_full_is_a_timeout(confluent: Any) -> None:
    """So are a flush and a future that are not decided in time."""
    confluent._producer.away = True  # noqa: SLF001 - the library's double
    futures = [confluent.send("t", b"v", b"k", [], 0) for _ in range(2)]
    with pytest.raises(TimeoutError, match="stays full"):
        confluent.send("t", b"v", b"k", [], 0)
    with pytest.raises(TimeoutError):
        confluent.flush(0.01)
    with pytest.raises(TimeoutError):
        futures[0].get(0.01)


def test_a_refusal_of_confluent_is_raised_by_the_future(confluent: Any) -> None:
    """With name and reason."""
    confluent._producer.error = SimpleNamespace(code=lambda: 10, name=lambda: "N", str=lambda: "s")  # noqa: SLF001 - likewise
    future = confluent.send("t", b"v", b"k", [], 0)
    with pytest.raises(RefusedError):
        future.get(1)
    assert future.failed()
