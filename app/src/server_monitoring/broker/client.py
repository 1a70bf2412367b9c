"""What the rest of the app knows of Kafka: topics, records, and a client that can be chosen.

A client is a module in `clients`. Every failure of one becomes a BrokerError that names the broker
or the topic and says what to do, and every wait has an end.
"""

import contextlib
import importlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, cast

from server_monitoring.broker import login, tls
from server_monitoring.broker.cluster import MECHANISM, Cluster
from server_monitoring.broker.reader import Reader, TopicPartition
from server_monitoring.errors import (
    AuthenticationError,
    AuthorizationError,
    BrokerError,
    CredentialsError,
    UnreachableError,
)

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
# After how long without an answer it is asked whether the broker still takes the credentials.
DOUBT_SECONDS = 5
REFUSED_USER = "the user or the password is wrong"
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


def describe(topic: str) -> str:
    """Return what asking for a topic needs."""
    return f"Describe on topic {topic}"


def read(topic_partitions: Iterable[TopicPartition]) -> str:
    """Return what reading from topics needs."""
    return f"Read on topic {', '.join(sorted({tp.topic for tp in topic_partitions}))}"


def client_for(name: str) -> Client:
    """Return one of CLIENTS; only then is it imported."""
    module = f"server_monitoring.broker.clients.{name.replace('-', '_')}"
    return cast("Client", importlib.import_module(module))


def problem(cluster: Cluster) -> BrokerError | None:
    """Return why no connection comes about, where certificates or passwords are to blame."""
    found = tls.problem(cluster)
    if found is None and (refused := login.refusal(cluster)) is not None:
        return authentication_failed(cluster, refused.reason)
    return found


def check(cluster: Cluster) -> None:
    """Raise `problem`, if there is one; for whoever waits without an answer."""
    found = problem(cluster)
    if found is not None:
        raise found


def no_answer(cluster: Cluster, doing: str) -> BrokerError:
    """Return the error for a broker that is silent, or with which TLS does not come about."""
    return problem(cluster) or UnreachableError(
        f"broker {cluster}: no answer in time while {doing}; check that kafka.service "
        "runs there and that this host reaches it"
    )


def failed(cluster: Cluster, reason: str, doing: str) -> BrokerError:
    """Return the error for a broker that refuses."""
    return BrokerError(f"broker {cluster}: {reason} while {doing}; see the broker's log")


def authentication_failed(cluster: Cluster, reason: str) -> BrokerError:
    """Return the error for a broker that does not take the user or the password."""
    return AuthenticationError(
        f"broker {cluster}: refused user {cluster.user!r} ({MECHANISM}): {reason}; provision the "
        "broker and this host, which gives both the same password"
    )


def not_authorized(
    cluster: Cluster, reason: str, doing: str, needs: str, kind: str = ""
) -> BrokerError:
    """Return the error for a user who may not do this.

    Of several needs, with semicolons between them, the one for a resource of `kind` is named.
    """
    fitting = [need for need in needs.split("; ") if f" on {kind} " in need]
    lacking = fitting[0] if fitting else needs or reason
    return AuthorizationError(
        f"broker {cluster}: user {cluster.user!r} is not authorized: {lacking} was refused while "
        f"{doing}; run this as the user that it is meant for, or grant it and provision the broker"
    )


@contextlib.contextmanager
def in_mid_run() -> Iterator[None]:
    """Let a user who was taken before and is refused now end the command as one to start again.

    A password that is changed takes the old one away; systemd starts the unit with the new one.
    """
    try:
        yield
    except AuthenticationError as error:
        raise CredentialsError(str(error)) from error


def missing_topic(cluster: Cluster, topic: str) -> BrokerError:
    """Return the error for a topic that is not there."""
    return BrokerError(
        f"topic {topic}: not found on broker {cluster}; create it by provisioning (kafka_topics)"
    )


def offset_gone(cluster: Cluster, reason: str) -> BrokerError:
    """Return the error for an offset that the broker no longer has."""
    return BrokerError(
        f"broker {cluster}: {reason}: the stored offset is no longer on the broker "
        "(retention, or the topic was made anew); start a new run"
    )


def first_poll_unanswered(cluster: Cluster) -> BrokerError:
    """Return the error for a broker that gives nothing to read."""
    return UnreachableError(
        f"broker {cluster}: the first poll was not answered within "
        f"{CONNECT_SECONDS} s; check the broker's log"
    )
