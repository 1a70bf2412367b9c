"""confluent-kafka's producer with a transactional id."""

import threading
import time
from collections.abc import Callable
from typing import Any

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import TopicPartition as ClientPartition

from server_monitoring.broker import limits
from server_monitoring.broker.clients.confluent_common import (
    FENCED,
    RefusedError,
    Trouble,
    connect,
    fatal_raised,
    options,
)
from server_monitoring.broker.cluster import Cluster
from server_monitoring.broker.transaction import Offsets, Outgoing

_RETRY_SECONDS = 0.1


class ConfluentTransactions:
    """Calls librdkafka, and tries again where it says that this may help."""

    def __init__(
        self, cluster: Cluster, transactional_id: str, group_id: str, timeout: float
    ) -> None:
        """Connect, and end all others with this id."""
        self._timeout = timeout
        self._trouble = Trouble()
        self._failed: KafkaError | None = None
        self._over = False
        self._producer = confluent_kafka.Producer(
            {
                **options(cluster, self._trouble),
                "transactional.id": transactional_id,
                "transaction.timeout.ms": int(timeout * 1000),
                "batch.size": limits.BATCH_BYTES,
                "linger.ms": 0,
                "message.max.bytes": limits.MAX_REQUEST_BYTES,
                "allow.auto.create.topics": False,
            }
        )
        self._group = _group_metadata(cluster, group_id)
        connect(self._producer, lambda: self._producer.poll(0), self._trouble)
        self._again(lambda: self._producer.init_transactions(limits.CONNECT_SECONDS))

    def begin(self) -> None:
        """Begin a transaction."""
        self._failed = None
        self._again(self._producer.begin_transaction)

    def send(self, record: Outgoing) -> None:
        """Give a record to the client."""
        tp, key, value = record
        try:
            self._producer.produce(tp.topic, value, key, tp.partition, on_delivery=self._decided)
        except KafkaException as error:
            raise RefusedError(*error.args) from error
        except BufferError:
            raise TimeoutError("the client's queue is full") from None

    def commit(self, offsets: Offsets) -> None:
        """Add the group's offsets, wait until the broker has all records, and commit."""
        wanted = [ClientPartition(*tp, *committed) for tp, committed in offsets.items()]
        if wanted:
            self._again(
                lambda: self._within(
                    limits.CONNECT_SECONDS + limits.DOUBT_SECONDS,
                    lambda: self._producer.send_offsets_to_transaction(
                        wanted, self._group, limits.CONNECT_SECONDS
                    ),
                )
            )
        self._again(lambda: self._producer.commit_transaction(limits.CONNECT_SECONDS))

    def abort(self) -> None:
        """Take back what was begun; a fenced client waits here in vain, and has nothing left."""
        if not self._over:
            self._again(lambda: self._producer.abort_transaction(limits.CONNECT_SECONDS))

    def close(self) -> None:
        """Forget what was not sent."""
        self._producer.purge()

    def _decided(self, error: KafkaError | None, _: Any) -> None:
        self._failed = self._failed or error

    def _within(self, seconds: float, call: Callable[[], object]) -> None:
        """Call, but wait no longer: librdkafka may ask for ever where a group's broker has died."""
        failed: list[BaseException] = []

        def run() -> None:
            try:
                call()
            except BaseException as error:  # noqa: BLE001 - raised by the caller's thread
                failed.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(seconds)
        if thread.is_alive():
            self._over = True  # nothing else may be asked of this producer
            raise TimeoutError("no answer in time")
        if failed:
            raise failed[0]

    def _again(self, call: Callable[[], object]) -> None:
        """Call until it is done, or no longer worth it."""
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                with fatal_raised():
                    call()
            except KafkaException as error:
                self._trouble.check()
                found = error.args[0]
                self._over |= found.fatal() or found.code() in FENCED
                if self._failed is not None and not self._over:
                    found = self._failed  # the reason, of which the call does not tell
                if not found.retriable() or time.monotonic() > deadline:
                    raise RefusedError(found) from error
                time.sleep(_RETRY_SECONDS)
            else:
                return


def _group_metadata(cluster: Cluster, group_id: str) -> object:
    """Return what transactions say of a group that nobody is a member of."""
    consumer = confluent_kafka.Consumer(options(cluster) | {"group.id": group_id})
    try:
        return consumer.consumer_group_metadata()
    finally:
        consumer.close()
