"""What each client's reader makes of the client's errors, without a broker."""

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import confluent_kafka
import kafka
import pytest
from confluent_kafka import KafkaError
from kafka import errors as kafka_errors
from server_monitoring.broker import limits
from server_monitoring.broker.client import Client, client_for
from server_monitoring.broker.clients import confluent_common
from server_monitoring.broker.clients.confluent_common import RefusedError
from server_monitoring.broker.clients.confluent_reader import ConfluentReader, _metadata
from server_monitoring.broker.clients.kafka_python_reader import KafkaPythonReader
from server_monitoring.broker.cluster import Cluster
from server_monitoring.broker.limits import CLIENTS, CONFLUENT, KAFKA_PYTHON
from server_monitoring.broker.reader import Reader, TopicPartition
from server_monitoring.errors import (
    AuthenticationError,
    AuthorizationError,
    BrokerError,
    UnreachableError,
)

CLUSTER = Cluster(("127.0.0.1:9",))
TP = TopicPartition("t", 0)


def refused(code: int) -> RefusedError:
    """Return an error of confluent-kafka."""
    return RefusedError(KafkaError(code))


def kafka_python(error: Exception) -> Reader:
    """Return a reader whose client raises `error`."""

    def poll(**_: Any) -> None:
        raise error

    reader = KafkaPythonReader.__new__(KafkaPythonReader)
    vars(reader).update(
        _client=client_for(KAFKA_PYTHON),
        _cluster=CLUSTER,
        _last=math.inf,
        _moved={},
        _reads="Read on topic t",
        _consumer=SimpleNamespace(poll=poll),
    )
    return reader


def over(client: Any, **state: Any) -> Reader:
    """Return a reader of confluent-kafka over a double of its client."""
    reader = ConfluentReader.__new__(ConfluentReader)
    vars(reader).update(
        _client=client_for(CONFLUENT),
        _cluster=CLUSTER,
        _consumer=client,
        _trouble=confluent_common.Trouble(),
        _positions={},
    )
    vars(reader).update(state)
    return reader


def confluent_reader(code: int, *, retriable: bool = False) -> Reader:
    """Return a reader whose client gives a message that is an error."""
    error = SimpleNamespace(code=lambda: code, str=lambda: "why", retriable=lambda: retriable)
    message = SimpleNamespace(
        topic=lambda: "t", partition=lambda: 0, error=lambda: error, offset=lambda: 7
    )
    answers = [[message], []]
    client = SimpleNamespace(consume=lambda *_: answers.pop(0))
    return over(client, _positions={TP: 3})


@pytest.mark.parametrize(
    "make",
    [
        lambda: kafka_python(kafka_errors.KafkaConnectionError("111 ECONNREFUSED")),
        lambda: confluent_reader(confluent_common.SILENT[0]),
        lambda: confluent_reader(confluent_common.SILENT[1]),
        lambda: confluent_reader(6, retriable=True),
    ],
)
def test_a_broker_that_is_away_gives_no_records_and_no_error(make: Callable[[], Reader]) -> None:
    """It may be back in a moment; how long is too long is the consumer's matter."""
    assert make().poll(1, 10) == {}


def test_a_silent_reader_keeps_its_client_where_nobody_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A new one cannot connect either; the old one tries on."""

    def unanswered(*_: Any, **__: Any) -> None:
        tried.append(1)
        raise kafka_errors.KafkaTimeoutError

    tried: list[int] = []
    monkeypatch.setattr(kafka, "KafkaConsumer", unanswered)
    monkeypatch.setattr(limits, "STALL_SECONDS", 0)
    position = SimpleNamespace(position=SimpleNamespace(offset=3))
    client = SimpleNamespace(
        poll=lambda **_: {},
        end_offsets=unanswered,
        _subscription=SimpleNamespace(assignment={kafka.TopicPartition(*TP): position}),
    )
    reader = kafka_python(kafka_errors.KafkaTimeoutError())
    vars(reader).update(_consumer=client, _moved={TP: 0.0}, _group_id=None, _live=False)
    assert reader.poll(1, 1) == {}
    assert len(tried) == 2
    assert vars(reader)["_consumer"] is client


@pytest.mark.parametrize(
    "make",
    [
        lambda: kafka_python(kafka_errors.OffsetOutOfRangeError("t 0 7")),
        *[lambda code=code: confluent_reader(code) for code in confluent_common.GONE],
    ],
)
def test_an_offset_that_is_gone_says_what_that_means(make: Callable[[], Reader]) -> None:
    """Records were deleted before they were read."""
    with pytest.raises(BrokerError, match="the stored offset is no longer on the broker"):
        make().poll(1, 10)


@pytest.mark.parametrize(
    "make",
    [
        lambda: kafka_python(kafka_errors.TopicAuthorizationFailedError("t")),
        lambda: confluent_reader(KafkaError.TOPIC_AUTHORIZATION_FAILED),
    ],
)
def test_a_refusal_is_an_error(make: Callable[[], Reader]) -> None:
    """With the broker's address."""
    with pytest.raises(BrokerError, match=r"broker 127\.0\.0\.1:9: .* while reading"):
        make().poll(1, 10)


def test_the_end_of_a_partition_moves_the_position() -> None:
    """Behind records that are not given out, such as those of transactions."""
    reader = confluent_reader(confluent_common.END)
    assert reader.poll(1, 10) == {}
    assert reader.position(TP) == 7


def test_an_error_of_confluent_reads_as_one() -> None:
    """Name and reason, not the structure of an object."""
    error = KafkaError(KafkaError.UNKNOWN_MEMBER_ID, "no")
    assert str(confluent_common.RefusedError(error)) == "UNKNOWN_MEMBER_ID: no"
    with (
        pytest.raises(BrokerError, match=r"broker 127\.0\.0\.1:9: UNKNOWN_MEMBER_ID: no while"),
        client_for(CONFLUENT).translated(CLUSTER, "sending"),
    ):
        raise confluent_kafka.KafkaException(error)


@pytest.mark.parametrize("name", CLIENTS)
def test_each_client_is_whole_and_says_its_version(name: str) -> None:
    """A class that leaves something out cannot be made."""
    client = client_for(name)
    assert isinstance(client, Client)
    assert client.description().startswith(f"{name} ")
    assert issubclass(client.ERROR, Exception)
    assert issubclass(client.TIMEOUT, Exception)


@pytest.mark.parametrize(
    ("name", "error", "expected"),
    [
        (KAFKA_PYTHON, kafka_errors.KafkaTimeoutError(), UnreachableError),
        (KAFKA_PYTHON, kafka_errors.KafkaConnectionError("111"), UnreachableError),
        (KAFKA_PYTHON, kafka_errors.SaslAuthenticationFailedError(), AuthenticationError),
        (KAFKA_PYTHON, kafka_errors.TopicAuthorizationFailedError("t"), AuthorizationError),
        (
            KAFKA_PYTHON,
            kafka_errors.KafkaError("ClusterAuthorizationFailedError: no"),
            AuthorizationError,
        ),
        (KAFKA_PYTHON, kafka_errors.UnknownError("no"), BrokerError),
        (CONFLUENT, TimeoutError(), UnreachableError),
        *((CONFLUENT, refused(code), UnreachableError) for code in confluent_common.SILENT),
        (CONFLUENT, refused(KafkaError._AUTHENTICATION), AuthenticationError),  # noqa: SLF001 - librdkafka's own code
        *((CONFLUENT, refused(code), AuthorizationError) for code in confluent_common.UNAUTHORIZED),
        (CONFLUENT, refused(KafkaError.UNKNOWN_MEMBER_ID), BrokerError),
    ],
)
def test_each_error_of_a_client_becomes_one_of_the_apps(
    name: str, error: Exception, expected: type[BrokerError]
) -> None:
    """With the user's need where a right is missing."""
    client = client_for(name)
    needs = "Read on group g; Write on topic t"
    with pytest.raises(BrokerError) as caught, client.translated(CLUSTER, "sending", needs):
        raise error
    assert type(caught.value) is expected
    assert f"broker {CLUSTER}: " in str(caught.value)
    if expected is AuthorizationError:
        topic = "Topic" in type(error).__name__ or "TOPIC" in str(error)
        assert ("Write on topic t" if topic else "Read on group g") in str(caught.value)


def test_an_error_that_is_not_of_the_client_stays_what_it_is() -> None:
    """A mistake of the app's must not read as the broker's."""
    with pytest.raises(KeyError), client_for(KAFKA_PYTHON).translated(CLUSTER, "sending"):
        raise KeyError


def watermarks(*failures: int) -> Reader:
    """Return a reader whose client refuses the first questions for offsets, then answers."""
    left = list(failures)

    def answer(*_: Any, **__: Any) -> tuple[int, int]:
        if left:
            raise confluent_kafka.KafkaException(KafkaError(left.pop(0)))
        return 3, 8

    return over(SimpleNamespace(get_watermark_offsets=answer))


@pytest.mark.parametrize(
    "moving",
    [
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError._DESTROY_BROKER,  # noqa: SLF001 - librdkafka's own code
    ],
)
def test_confluent_reader_waits_until_a_partition_has_a_leader(moving: int) -> None:
    """It has none for a moment once a topic was made or a broker died: no reason to give up."""
    assert watermarks(moving, moving).end_offsets([TP]) == {TP: 8}
    assert watermarks(moving).beginning(TP) == 3


def test_confluent_reader_does_not_wait_for_what_will_not_change() -> None:
    """Any other refusal is told at once."""
    refused = KafkaError.TOPIC_AUTHORIZATION_FAILED
    with pytest.raises(BrokerError):
        watermarks(refused).beginning(TP)


def starting(*ends: int) -> tuple[Reader, list[Any]]:
    """Return a reader whose client learns a partition's end after some polls; and what it saw."""
    left, seen = list(ends), list[Any]()

    def consume(*arguments: Any) -> list[Any]:
        seen.append(arguments)
        offset = len(seen)
        return [
            SimpleNamespace(
                topic=lambda: "t",
                partition=lambda: 0,
                error=lambda: None,
                offset=lambda: offset,
                value=lambda: b"v",
                headers=lambda: None,
            )
        ]

    def watermarks(_: Any, *, cached: bool) -> tuple[int, int]:
        assert cached
        return 0, left.pop(0) if len(left) > 1 else left[0]

    client = SimpleNamespace(
        assign=lambda _: None, consume=consume, get_watermark_offsets=watermarks
    )
    return over(client), seen


def test_confluent_reader_is_ready_with_the_first_answer_and_not_at_the_end() -> None:
    """A consumer that resumes far behind would keep all there is in memory otherwise."""
    reader, seen = starting(-1001, 1_000_000)
    assert [record.offset for record in reader.start({TP: 1})[TP]] == [1, 2]
    assert len(seen) == 2
    assert reader.position(TP) == 3


def test_confluent_reader_that_gets_no_answer_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker is named."""
    monkeypatch.setattr("server_monitoring.broker.clients.common_reader.CONNECT_SECONDS", 0.01)
    reader, _ = starting(-1001)
    with pytest.raises(BrokerError, match="the first poll was not answered"):
        reader.start({TP: 1})


def test_an_end_that_is_told_before_its_last_records_does_not_move_the_position_back() -> None:
    """Both come in one answer of the client, in any order."""
    reader = confluent_reader(confluent_common.END)
    record = SimpleNamespace(
        topic=lambda: "t",
        partition=lambda: 0,
        error=lambda: None,
        offset=lambda: 4,
        value=lambda: b"v",
        headers=lambda: None,
    )
    first, second = reader._consumer.consume(), [record]  # type: ignore[attr-defined] # noqa: SLF001 - the client's double
    answers = [first, second]
    reader._consumer.consume = lambda *_: answers.pop(0)  # type: ignore[attr-defined] # noqa: SLF001 - likewise
    assert [found.offset for found in reader.poll(1, 10)[TP]] == [4]
    assert reader.position(TP) == 7


def test_metadata_that_the_client_reads_too_far_is_cut_at_what_is_no_text() -> None:
    """confluent-kafka may go on behind the end of what was committed."""

    class Shown:
        @property
        def metadata(self) -> str:
            return b'{"run_id": "r1"}\x90?'.decode()

    assert _metadata(Shown()) == '{"run_id": "r1"}'
