"""What the rest of the app knows of Kafka: topics, records, and a client that can be chosen.

A client is a module in `clients`. Every failure of one becomes a BrokerError that names the broker
or the topic and says what to do, and every wait has an end.
"""

import importlib
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, cast

from server_monitoring.broker.cluster import Cluster
from server_monitoring.broker.limits import NO_COMPRESSION
from server_monitoring.broker.reader import Reader
from server_monitoring.errors import BrokerError


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
        self,
        topic: str,
        value: bytes,
        key: bytes | None,
        headers: list[tuple[str, bytes]],
        partition: int,
    ) -> Future:
        """Give a record to the client; raise the client's ERROR or TIMEOUT if it takes none."""

    def flush(self, timeout: float) -> None:
        """Wait until all is decided; raise the client's TIMEOUT if it is not in time."""


class Client(Protocol):
    """A module of `clients`.

    Attributes:
        ERROR, TIMEOUT: what its producer raises; TIMEOUT, looked for first, is that no answer came.

    """

    ERROR: type[Exception]
    TIMEOUT: type[Exception]

    def description(self) -> str:
        """Return the client's name and version."""

    def translated(
        self, cluster: Cluster, doing: str, needs: str = ""
    ) -> AbstractContextManager[None]:
        """Turn the client's errors into a BrokerError about `doing`.

        `needs` is the operation that the user must be allowed, and on what.
        """

    def refusal(
        self, cluster: Cluster, error: Exception, doing: str, needs: str = ""
    ) -> BrokerError | None:
        """Return the error for a user who is refused; None if `error` is another one."""

    def open_reader(self, cluster: Cluster, group_id: str | None = None) -> Reader:
        """Connect; `group_id` is the name under which offsets are committed."""

    def open_producer(
        self, cluster: Cluster, timeout: float, compression: str = NO_COMPRESSION
    ) -> AbstractContextManager[Producer]:
        """Connect; a record may be under way for `timeout` seconds.

        Batches are compressed by one of COMPRESSIONS.
        """

    def create_topic(self, cluster: Cluster, topic: str) -> bool:
        """Create a one-partition topic that keeps records for an hour; False if it was there."""


def client_for(name: str) -> Client:
    """Return one of CLIENTS; only then is it imported."""
    module = f"server_monitoring.broker.clients.{name.replace('-', '_')}"
    return cast("Client", importlib.import_module(module))
