"""What the rest of the app knows of Kafka: topics, records, and a client that can be chosen.

A client is a module in `clients`. Every failure of one becomes a BrokerError that names the broker
or the topic and says what to do, and every wait has an end.
"""

import importlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, cast

from server_monitoring.errors import BrokerError, UnreachableError
from server_monitoring.reader import Reader

KAFKA_PYTHON, CONFLUENT = "kafka-python", "confluent-kafka"
CLIENTS = (KAFKA_PYTHON, CONFLUENT)
NO_COMPRESSION = "none"
COMPRESSIONS = (NO_COMPRESSION, "lz4", "zstd")
CONNECT_SECONDS = 10
# A request may take CONNECT_SECONDS: a client gives a record no less than one try.
LEAST_TIMEOUT = CONNECT_SECONDS + 5
# The first question about a group makes the broker create the topic of all groups.
GROUP_SECONDS = 30
BATCH_BYTES = 256 * 1024
LINGER_MS = 50
MAX_RECORD_BYTES = 4 * 1024 * 1024
FETCH_BYTES = 8 * 1024 * 1024
FETCH_WAIT_MS = 200
# Of a partition, how many the client reads ahead.
QUEUED_RECORDS = 20_000
# Of a topic that only probes use.
PROBE_RETENTION_MS = 3_600_000


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

    def translated(self, servers: Sequence[str], doing: str) -> AbstractContextManager[None]:
        """Turn the client's errors into a BrokerError about `doing`."""

    def open_reader(self, servers: Sequence[str], group_id: str | None = None) -> Reader:
        """Connect; `group_id` is the name under which offsets are committed."""

    def open_producer(
        self, servers: Sequence[str], timeout: float, compression: str = NO_COMPRESSION
    ) -> AbstractContextManager[Producer]:
        """Connect; a record may be under way for `timeout` seconds.

        Batches are compressed by one of COMPRESSIONS.
        """

    def create_topic(self, servers: Sequence[str], topic: str) -> bool:
        """Create a one-partition topic that keeps records for an hour; False if it was there."""


def client_for(name: str) -> Client:
    """Return one of CLIENTS; only then is it imported."""
    module = f"server_monitoring.clients.{name.replace('-', '_')}"
    return cast("Client", importlib.import_module(module))


def no_answer(servers: Sequence[str], doing: str) -> BrokerError:
    """Return the error for a broker that is silent."""
    return UnreachableError(
        f"broker {', '.join(servers)}: no answer in time while {doing}; check that kafka.service "
        "runs there and that this host reaches it"
    )


def failed(servers: Sequence[str], reason: str, doing: str) -> BrokerError:
    """Return the error for a broker that refuses."""
    return BrokerError(f"broker {', '.join(servers)}: {reason} while {doing}; see the broker's log")


def missing_topic(servers: Sequence[str], topic: str) -> BrokerError:
    """Return the error for a topic that is not there."""
    return BrokerError(
        f"topic {topic}: not found on broker {', '.join(servers)}; create it by "
        "provisioning (kafka_topics)"
    )


def offset_gone(servers: Sequence[str], reason: str) -> BrokerError:
    """Return the error for an offset that the broker no longer has."""
    return BrokerError(
        f"broker {', '.join(servers)}: {reason}: the stored offset is no longer on the broker "
        "(retention, or the topic was made anew); start a new run"
    )


def first_poll_unanswered(servers: Sequence[str]) -> BrokerError:
    """Return the error for a broker that gives nothing to read."""
    return UnreachableError(
        f"broker {', '.join(servers)}: the first poll was not answered within "
        f"{CONNECT_SECONDS} s; check the broker's log"
    )
