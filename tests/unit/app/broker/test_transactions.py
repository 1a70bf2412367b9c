"""Transactions of confluent-kafka: every wait has an end, whatever librdkafka does."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from server_monitoring.broker import limits
from server_monitoring.broker.clients import confluent_transactions
from server_monitoring.broker.clients.confluent_common import RefusedError
from server_monitoring.broker.clients.confluent_transactions import ConfluentTransactions
from server_monitoring.broker.cluster import Cluster
from server_monitoring.broker.reader import TopicPartition

OFFSETS = {TopicPartition("t", 0): (7, "")}


def transactions(monkeypatch: pytest.MonkeyPatch, **calls: Any) -> ConfluentTransactions:
    """Return transactions whose client does what `calls` say."""
    client = SimpleNamespace(
        init_transactions=lambda _: None, list_topics=lambda **_: None, poll=lambda _: None, **calls
    )
    found = SimpleNamespace(Producer=lambda _: client)
    monkeypatch.setattr(confluent_transactions, "confluent_kafka", found)
    monkeypatch.setattr(confluent_transactions, "_group_metadata", lambda *_: None)
    return ConfluentTransactions(Cluster(("127.0.0.1:9",), None, None), "id", "group", 1)


def test_an_answer_about_offsets_that_never_comes_ends_the_transactions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its own time limit is not kept where a broker has died; taking back would hang as well."""
    monkeypatch.setattr(limits, "CONNECT_SECONDS", 0)
    monkeypatch.setattr(limits, "DOUBT_SECONDS", 0.1)
    over = threading.Event()
    found = transactions(monkeypatch, send_offsets_to_transaction=lambda *_: over.wait())
    with pytest.raises(TimeoutError, match="no answer in time"):
        found.commit(OFFSETS)
    found.abort()
    over.set()


def test_a_refusal_of_offsets_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes from another thread."""

    def refuse(*_: Any) -> None:
        raise KafkaException(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED))

    found = transactions(monkeypatch, send_offsets_to_transaction=refuse)
    with pytest.raises(RefusedError, match="GROUP_AUTHORIZATION_FAILED"):
        found.commit(OFFSETS)
