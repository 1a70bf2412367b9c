"""Each failure as one BrokerError: what the broker said, while doing what, and what to do."""

import contextlib
from collections.abc import Iterable, Iterator

from server_monitoring.broker import login, tls
from server_monitoring.broker.cluster import MECHANISM, Cluster
from server_monitoring.broker.limits import BATCH_MEMORY_BYTES, CONNECT_SECONDS
from server_monitoring.broker.reader import TopicPartition
from server_monitoring.errors import (
    AuthenticationError,
    AuthorizationError,
    BrokerError,
    CredentialsError,
    FencedError,
    UnreachableError,
)


def needs_describe(topic: str) -> str:
    """Return the right that asking for a topic needs."""
    return f"Describe on topic {topic}"


def needs_read(topic_partitions: Iterable[TopicPartition]) -> str:
    """Return the right that reading from topics needs."""
    return f"Read on topic {', '.join(sorted({tp.topic for tp in topic_partitions}))}"


def connection_error(cluster: Cluster) -> BrokerError | None:
    """Return why no connection can be made, where certificates or passwords are to blame."""
    found = tls.handshake_error(cluster)
    if found is None and (reason := login.refused_credentials(cluster)) is not None:
        return authentication_failed(cluster, reason)
    return found


def check_connection(cluster: Cluster) -> None:
    """Raise `connection_error`, if there is one; for whoever waits without an answer."""
    found = connection_error(cluster)
    if found is not None:
        raise found


def no_answer(cluster: Cluster, doing: str) -> BrokerError:
    """Return the error for a broker that is silent, or with which TLS or a login fails."""
    return connection_error(cluster) or UnreachableError(
        f"broker {cluster}: no answer in time while {doing}; check that kafka.service "
        "runs there and that this host reaches it"
    )


def failed(cluster: Cluster, reason: str, doing: str) -> BrokerError:
    """Return the error for a broker that refuses."""
    return BrokerError(f"broker {cluster}: {reason} while {doing}; see the broker's log")


def authentication_failed(cluster: Cluster, reason: str) -> BrokerError:
    """Return the error for a broker that rejects the user or the password."""
    return AuthenticationError(
        f"broker {cluster}: refused user {cluster.user!r} ({MECHANISM}): {reason}; provision the "
        "broker and this host, which gives both the same password"
    )


def not_authorized(
    cluster: Cluster, reason: str, doing: str, needs: str, kind: str = ""
) -> BrokerError:
    """Return the error for a user who may not do this.

    Of several needs, separated by semicolons, the one for a resource of `kind` is named.
    """
    fitting = [need for need in needs.split("; ") if f" on {kind} " in need]
    lacking = fitting[0] if fitting else needs or reason
    return AuthorizationError(
        f"broker {cluster}: user {cluster.user!r} is not authorized: {lacking} was refused while "
        f"{doing}; run this as the user that it is meant for, or grant it and provision the broker"
    )


def fenced(cluster: Cluster, doing: str) -> BrokerError:
    """Return the error for a transactional id that another process has opened since."""
    return FencedError(
        f"broker {cluster}: another process with this transactional id took over while {doing}: "
        "nothing is lost; see that one host alone has this share, then start this again"
    )


@contextlib.contextmanager
def in_mid_run() -> Iterator[None]:
    """Turn the refusal of a user who was let in before into an error after which to start again.

    Once a password is changed the old one is void; systemd starts the unit with the new one.
    """
    try:
        yield
    except AuthenticationError as error:
        raise CredentialsError(str(error)) from error


def missing_topic(cluster: Cluster, topic: str) -> BrokerError:
    """Return the error for a topic that does not exist."""
    return BrokerError(
        f"topic {topic}: not found on broker {cluster}; create it by provisioning (kafka_topics)"
    )


def offset_gone(cluster: Cluster, reason: str) -> BrokerError:
    """Return the error for an offset that the broker no longer has."""
    return BrokerError(
        f"broker {cluster}: {reason}: the stored offset is no longer on the broker "
        "(retention, or the topic was created again); start a new run"
    )


def batch_too_large(topic: str, partition: int, offset: int) -> BrokerError:
    """Return the error for a batch that no producer of the app has sent."""
    return BrokerError(
        f"topic {topic}: partition {partition}: the batch at offset {offset} needs more than "
        f"{BATCH_MEMORY_BYTES >> 20} MiB when it is decompressed, as none of this app's does; find "
        "out who writes to this topic, delete its records up to there and start a new run"
    )


def first_poll_unanswered(cluster: Cluster) -> BrokerError:
    """Return the error for a broker that does not answer the first poll."""
    return UnreachableError(
        f"broker {cluster}: the first poll was not answered within "
        f"{CONNECT_SECONDS} s; check the broker's log"
    )
