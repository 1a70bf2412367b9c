"""What the rest of the app knows of Kafka: topics, records, and a client that can be chosen.

Each client is a `Client` in a module of `clients`. Every failure of one becomes a BrokerError that
names the broker or the topic and says what to do, and every wait has an end.
"""

import contextlib
import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from server_monitoring.broker import failures, transaction
from server_monitoring.broker.cluster import Cluster
from server_monitoring.broker.limits import NO_COMPRESSION, PROBE_CONFIGS
from server_monitoring.broker.login import WRONG_PASSWORD
from server_monitoring.broker.reader import Reader
from server_monitoring.broker.transaction import TransactionalProducer, Transactions
from server_monitoring.errors import BrokerError

Headers = list[tuple[str, bytes]]


class Ack(NamedTuple):
    """Where a record is; offset is -1 where the client does not know."""

    offset: int


class Future(Protocol):
    """What becomes of a record.

    Attributes:
        is_done: whether it is decided.

    """

    is_done: bool

    @property
    def value(self) -> Any:
        """What the broker said, with an `offset`, once it has the record."""

    def failed(self) -> bool:
        """Return whether the broker does not have it."""

    def get(self, timeout: float) -> Any:
        """Wait, and return `value`, or raise the reason why not."""


class Producer(Protocol):
    """Sends to partitions that the caller chooses; idempotent, acks=all."""

    def send(
        self, topic: str, value: bytes, key: bytes | None, headers: Headers, partition: int
    ) -> Future:
        """Give a record to the client; raise the client's ERROR or TIMEOUT if it takes none."""

    def flush(self, timeout: float) -> None:
        """Wait until all is decided; raise the client's TIMEOUT if it is not in time."""

    def close(self) -> None:
        """Disconnect; forget what was not sent."""


class Client(ABC):
    """A Kafka client; it has no state of its own.

    Attributes:
        ERROR, TIMEOUT: what its producer raises; TIMEOUT, looked for first, is that no answer came.

    """

    ERROR: type[Exception]
    TIMEOUT: type[Exception]

    @abstractmethod
    def description(self) -> str:
        """Return the client's name and version."""

    @abstractmethod
    def open_reader(
        self, cluster: Cluster, group_id: str | None = None, *, live: bool = False
    ) -> Reader:
        """Connect; `group_id` is the name under which offsets are committed.

        A `live` reader reads what is committed, and its records have keys and times.

        Raises:
            BrokerError: the broker does not answer within CONNECT_SECONDS.

        """

    @contextlib.contextmanager
    def open_producer(
        self, cluster: Cluster, timeout: float, compression: str = NO_COMPRESSION
    ) -> Iterator[Producer]:
        """Open an idempotent producer (acks=all) with batches that keep the loop from waiting.

        A record that is not acknowledged within `timeout` seconds has failed. Batches are
        compressed by one of COMPRESSIONS.

        Raises:
            BrokerError: the broker does not answer within CONNECT_SECONDS.

        """
        with self.translated(cluster, "connecting"):
            producer = self._producer(cluster, timeout, compression)
        try:
            yield producer
        finally:
            producer.close()

    @contextlib.contextmanager
    def open_transactions(
        self,
        cluster: Cluster,
        transactional_id: str,
        group_id: str,
        timeout: float,
        topics: Iterable[str] = (),
    ) -> Iterator[Transactions]:
        """Open transactions on `topics` and the offsets of a group; end all others with this id.

        A transaction that is not committed within `timeout` seconds has failed.

        Raises:
            BrokerError: no answer, or a refusal.

        """
        needs = transaction.needs(topics, transactional_id, group_id)
        with self.translated(cluster, "opening transactions", needs):
            producer = self._transactional(cluster, transactional_id, group_id, timeout)
        try:
            yield Transactions(
                producer,
                lambda: self.translated(cluster, "writing a transaction", needs),
                (self.ERROR, self.TIMEOUT),
            )
        finally:
            producer.close()

    def create_topic(self, cluster: Cluster, topic: str) -> bool:
        """Create a topic for probes, as PROBE_CONFIGS has it; False if it was there.

        Provisioning makes it where access is restricted: nobody else may.

        Raises:
            BrokerError: the broker does not answer or refuses.

        """
        with self.translated(cluster, f"creating topic {topic}", f"Create on topic {topic}"):
            return self._create(cluster, topic, PROBE_CONFIGS)

    @contextlib.contextmanager
    def translated(self, cluster: Cluster, doing: str, needs: str = "") -> Iterator[None]:
        """Turn the client's errors into a BrokerError about `doing`.

        `needs` is the operation that the user must be allowed, and on what.
        """
        try:
            yield
        except (self.ERROR, self.TIMEOUT) as error:
            if self._silent(error):
                raise failures.no_answer(cluster, doing) from error
            refused = self.refusal(cluster, error, doing, needs)
            raise refused or failures.failed(cluster, self._reason(error), doing) from error

    def refusal(
        self, cluster: Cluster, error: Exception, doing: str, needs: str = ""
    ) -> BrokerError | None:
        """Return the error for who is refused or fenced; None if `error` is another one."""
        if self._fenced(error):
            return failures.fenced(cluster, doing)
        if self._unauthenticated(error):
            return failures.authentication_failed(cluster, WRONG_PASSWORD)
        kind = self._unauthorized(error)
        if kind is None:
            return None
        return failures.not_authorized(cluster, self._reason(error), doing, needs, kind)

    @abstractmethod
    def _producer(self, cluster: Cluster, timeout: float, compression: str) -> Producer:
        """Connect a producer."""

    @abstractmethod
    def _transactional(
        self, cluster: Cluster, transactional_id: str, group_id: str, timeout: float
    ) -> TransactionalProducer:
        """Connect a producer, and end all others with its id."""

    @abstractmethod
    def _create(self, cluster: Cluster, topic: str, configs: dict[str, str]) -> bool:
        """Create a topic of one partition; return False if it was there."""

    @abstractmethod
    def _silent(self, error: Exception) -> bool:
        """Return whether an error means that no answer came."""

    @abstractmethod
    def _fenced(self, error: Exception) -> bool:
        """Return whether an error means that a newer producer has the transactional id."""

    @abstractmethod
    def _unauthenticated(self, error: Exception) -> bool:
        """Return whether an error means that the broker does not let the user in."""

    @abstractmethod
    def _unauthorized(self, error: Exception) -> str | None:
        """Return the kind of resource ("topic", "group") that is denied; None if none is."""

    @abstractmethod
    def _reason(self, error: Exception) -> str:
        """Return what an error says, on one line."""


def client_for(name: str) -> Client:
    """Return one of CLIENTS; only then is it imported."""
    module = importlib.import_module(f"server_monitoring.broker.clients.{name.replace('-', '_')}")
    client: Client = module.CLIENT
    return client
