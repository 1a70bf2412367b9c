"""kafka-python's producer with a transactional id."""

from typing import Any

from kafka.errors import KafkaTimeoutError
from kafka.structs import OffsetAndMetadata
from kafka.structs import TopicPartition as ClientPartition

from server_monitoring.broker import limits
from server_monitoring.broker.clients.kafka_python_producer import (
    KafkaPythonProducer,
    producer_options,
)
from server_monitoring.broker.cluster import Cluster
from server_monitoring.broker.transaction import Offsets, Outgoing


class KafkaPythonTransactions(KafkaPythonProducer):
    """A producer whose waits all end: the client's own for an answer to a commit does not."""

    def __init__(
        self, cluster: Cluster, transactional_id: str, group_id: str, timeout: float
    ) -> None:
        """Connect, and end all others with this id."""
        settings = producer_options(cluster, timeout, limits.NO_COMPRESSION)
        settings |= {
            "transactional_id": transactional_id,
            "transaction_timeout_ms": int(timeout * 1000),
            "linger_ms": 0,
        }
        super().__init__(cluster, **settings)
        self._group_id = group_id
        self._timeout = timeout
        self._sent: list[Any] = []
        self.init_transactions()

    def begin(self) -> None:
        """Begin a transaction."""
        self.begin_transaction()
        self._sent.clear()

    def send(self, record: Outgoing) -> None:
        """Give a record to the client."""
        tp, key, value = record
        self._sent.append(super().send(tp.topic, value, key, partition=tp.partition))

    def commit(self, offsets: Offsets) -> None:
        """Add the group's offsets, wait until the broker has all records, and commit."""
        self.flush(self._timeout)
        for future in self._sent:
            future.get(self._timeout)
        wanted = {
            ClientPartition(*tp): OffsetAndMetadata(offset, metadata, -1)
            for tp, (offset, metadata) in offsets.items()
        }
        manager = self._transaction_manager
        if wanted:
            self._answered(manager.send_offsets_to_transaction(wanted, self._group_id))
        self._answered(manager.begin_commit())

    def abort(self) -> None:
        """Take back what was begun."""
        self._answered(self._transaction_manager.begin_abort())

    def _answered(self, result: Any) -> None:
        self._sender.wakeup()
        if not result.wait(timeout_ms=self._timeout * 1000):
            raise KafkaTimeoutError("no answer in time")
