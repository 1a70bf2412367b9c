"""Kafka's own topics are there before copies are laid, so that none is moved later."""

from contextlib import closing

from kafka.admin import KafkaAdminClient

from tests.kafka.kafka_broker import Broker
from tests.kafka.kafka_module import run_module

OFFSETS, TRANSACTIONS = "__consumer_offsets", "__transaction_state"


def test_the_topic_of_transactions_is_made_where_it_is_asked_for(mortal: Broker) -> None:
    """As that of offsets is, and a second time nothing is left to do."""
    arguments = {
        "bootstrap_servers": [mortal.address],
        "brokers": {"1": ""},
        "replication_factor": 1,
    }

    def topics(**more: object) -> set[str]:
        done = run_module("kafka_spread", arguments | more)
        assert done.get("over"), done
        with closing(KafkaAdminClient(bootstrap_servers=mortal.address)) as admin:
            return {*admin.list_topics()}

    assert topics() == {OFFSETS}
    assert topics(transactions=True) == {OFFSETS, TRANSACTIONS}
    again = run_module("kafka_spread", arguments | {"transactions": True})
    assert (again["over"], again["changed"]) == (True, False)
