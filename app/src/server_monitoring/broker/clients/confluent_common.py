"""What confluent-kafka's reader, producer and administrator share: settings, and errors."""
# ruff: noqa: SLF001 - librdkafka's own error codes begin with an underscore

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from server_monitoring.broker import tls
from server_monitoring.broker.cluster import MECHANISM, SASL_SSL, Cluster
from server_monitoring.broker.limits import CONNECT_SECONDS
from server_monitoring.errors import one_line

SILENT = (
    KafkaError._TRANSPORT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._TIMED_OUT,
    KafkaError._MSG_TIMED_OUT,
)
GONE = (KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET)
END = KafkaError._PARTITION_EOF
# A leader is being elected: for a moment after a topic was created or a broker restarted.
LEADERLESS = (
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    # It was elected, and has not yet heard how far the others are; or its address is forgotten.
    KafkaError.OFFSET_NOT_AVAILABLE,
    KafkaError._DESTROY_BROKER,
)
UNKNOWN = (
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
)
FENCED = (
    KafkaError._FENCED,
    KafkaError.PRODUCER_FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
)
UNAUTHORIZED = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
)
_TRY_SECONDS = 2
_LOGGER = logging.getLogger("confluent_kafka")
_LOGGER.addHandler(logging.NullHandler())
_LOGGER.propagate = False
# What an error says of an exchange that broke off because the broker stopped: no refusal.
_BROKEN_OFF = "Local: "
# The client has no setting for the lowest version. Its list names suites of TLS 1.2 and below; the
# only one here needs a pre-shared key, and there is none: so TLS 1.3 is what is left.
_NONE_BELOW_TLS_1_3 = "PSK-AES256-GCM-SHA384"


class RefusedError(KafkaException):
    """An error with a readable text: the client's own shows its structure."""

    def __str__(self) -> str:
        """Return name and reason."""
        return reason_of(self)


@contextlib.contextmanager
def fatal_raised() -> Iterator[None]:
    """Raise what ended a client for good; it comes wrapped in an error for each callback."""
    try:
        yield
    except SystemError as error:
        found: BaseException | None = error
        while found is not None and not isinstance(found, KafkaException):
            found = found.__cause__
        if found is None:
            raise
        raise RefusedError(*found.args) from error


def code_of(error: Exception) -> int | None:
    """Return librdkafka's number of an error."""
    found = error.args[0] if error.args else None
    return found.code() if isinstance(found, KafkaError) else None


def reason_of(error: Exception) -> str:
    """Return an error's name and reason."""
    found = error.args[0] if error.args else error
    if isinstance(found, KafkaError):
        return one_line(f"{found.name()}: {found.str()}", 200)
    return one_line(found, 160)


class Trouble:
    """What a client reports of its connections, apart from what it reports of requests.

    It retries forever, and a request only reports that no answer came.
    """

    def __init__(self) -> None:
        """Begin with nothing reported."""
        self._refused: KafkaError | None = None
        self.handshake_failed = False

    def hear(self, error: KafkaError) -> None:
        """Note what the client reports."""
        if error.code() == KafkaError._AUTHENTICATION and _BROKEN_OFF not in error.str():
            self._refused = error
        self.handshake_failed |= error.code() == KafkaError._SSL

    def check(self) -> None:
        """Raise that the broker refused the user, if it did."""
        if self._refused is not None:
            raise RefusedError(self._refused)


def connect(client: Any, serve: Callable[[], object], trouble: Trouble) -> None:
    """Ask the broker for anything; stop waiting once it has refused.

    Args:
        client: of any kind.
        serve: lets the client call back.
        trouble: where it does.

    """
    deadline = time.monotonic() + CONNECT_SECONDS
    while True:
        try:
            client.list_topics(timeout=_TRY_SECONDS)
        except KafkaException as error:
            serve()
            trouble.check()
            over = trouble.handshake_failed or time.monotonic() > deadline
            if over or code_of(error) not in SILENT:
                raise
        else:
            return


def _security(cluster: Cluster) -> dict[str, Any]:
    if cluster.ca_file is None:
        return {}
    tls.context(cluster)  # Says more clearly than the client what is wrong with the file.
    return {
        "security.protocol": SASL_SSL.lower(),
        "ssl.ca.location": str(cluster.ca_file),
        "ssl.endpoint.identification.algorithm": "https",
        "enable.ssl.certificate.verification": True,
        "ssl.cipher.suites": _NONE_BELOW_TLS_1_3,
        "sasl.mechanism": MECHANISM,
        "sasl.username": cluster.identity.username,
        "sasl.password": cluster.identity.password,
    }


def options(cluster: Cluster, trouble: Trouble | None = None) -> dict[str, Any]:
    """Return what all clients are told; they tell `trouble` of their connections."""
    return {
        **_security(cluster),
        "bootstrap.servers": ",".join(cluster.servers),
        "socket.timeout.ms": CONNECT_SECONDS * 1000,
        "reconnect.backoff.max.ms": 1000,
        # The client logs each retry; its final word reaches the user as a BrokerError.
        "log_level": 0,
        "logger": _LOGGER,
        "error_cb": (trouble or Trouble()).hear,
    }
