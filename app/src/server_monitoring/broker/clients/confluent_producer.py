"""confluent-kafka's producer: the client calls back when a record is decided."""

import contextlib
import time
from typing import Any

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException

from server_monitoring.broker import limits
from server_monitoring.broker.client import Ack, Headers
from server_monitoring.broker.clients.confluent_common import (
    RefusedError,
    Trouble,
    code_of,
    connect,
    fatal_raised,
    options,
)
from server_monitoring.broker.cluster import Cluster

# Acknowledgements are taken in once in this many records, at next to no cost.
_RECORDS_PER_POLL = 500
_FLUSH_SECONDS = 1


class _Future:
    """What becomes of a record; the client reports it by calling `decided`."""

    __slots__ = ("_error", "_offset", "_producer", "_trouble", "is_done")

    def __init__(self, producer: confluent_kafka.Producer, trouble: Trouble) -> None:
        self._producer = producer
        self._trouble = trouble
        self._error: KafkaError | None = None
        self._offset: int | None = None
        self.is_done = False

    def decided(self, error: KafkaError | None, message: Any) -> None:
        self._error = error
        # A client that gave up for good cannot tell the offset of a record that was not taken.
        self._offset = message.offset() if error is None else None
        self.is_done = True

    @property
    def value(self) -> Ack:
        """Return where the record is, once the broker has it."""
        return Ack(-1 if self._offset is None else self._offset)

    def failed(self) -> bool:
        """Return whether the broker does not have it."""
        return self._error is not None

    def get(self, timeout: float) -> Ack:
        """Wait, and return where it is, or raise the reason why it is not there."""
        deadline = time.monotonic() + timeout
        while not self.is_done:
            if time.monotonic() > deadline:
                raise TimeoutError("no answer in time")
            with fatal_raised():
                self._producer.poll(0.1)
            self._trouble.check()
        if self._error is not None:
            raise RefusedError(self._error)
        return self.value


class ConfluentProducer:
    """Calls librdkafka, and lets it call back."""

    def __init__(self, cluster: Cluster, timeout: float, compression: str) -> None:
        """Begin to connect; a record may be under way for `timeout` seconds."""
        self._timeout = timeout
        self._trouble = Trouble()
        self._producer = confluent_kafka.Producer(
            {
                **options(cluster, self._trouble),
                "enable.idempotence": True,
                "acks": "all",
                "batch.size": limits.BATCH_BYTES,
                "linger.ms": limits.LINGER_MS,
                "compression.type": compression,
                "message.max.bytes": limits.MAX_REQUEST_BYTES,
                "delivery.timeout.ms": int(timeout * 1000),
                "allow.auto.create.topics": False,
            }
        )
        self._produce: Any = self._producer.produce
        self._since_poll = 0

    def send(
        self, topic: str, value: bytes, key: bytes | None, headers: Headers, partition: int
    ) -> _Future:
        """Give a record to the client; wait where its queue is full."""
        future = _Future(self._producer, self._trouble)
        deadline = None
        while True:
            try:
                self._produce(
                    topic, value, key, partition, on_delivery=future.decided, headers=headers
                )
                break
            except KafkaException as error:
                self._say_why(error)
                raise RefusedError(*error.args) from error
            except BufferError:
                deadline = deadline or time.monotonic() + self._timeout
                if time.monotonic() > deadline:
                    raise TimeoutError("the client's queue stays full") from None
                with fatal_raised():
                    self._producer.poll(0.1)
                self._trouble.check()
        self._since_poll += 1
        if self._since_poll >= _RECORDS_PER_POLL:
            self._since_poll = 0
            with fatal_raised():
                self._producer.poll(0)
        return future

    def flush(self, timeout: float) -> None:
        """Wait until all is decided."""
        deadline = time.monotonic() + timeout
        while self._flushed():
            self._trouble.check()
            if time.monotonic() > deadline:
                raise TimeoutError("no answer in time")

    def _say_why(self, error: KafkaException) -> None:
        """Raise why the client gave up for good, if it did."""
        if code_of(error) == KafkaError._FATAL:  # noqa: SLF001 - librdkafka's own code
            with fatal_raised():
                self._producer.poll(0)

    def _flushed(self) -> int:
        with fatal_raised():
            left: int = self._producer.flush(_FLUSH_SECONDS)
        return left

    def check(self) -> None:
        """Ask the broker for anything."""
        connect(self._producer, lambda: self._producer.poll(0), self._trouble)

    def close(self) -> None:
        """Forget what was not sent."""
        with contextlib.suppress(KafkaException), fatal_raised():
            self._producer.purge()
            self._producer.flush(1)
