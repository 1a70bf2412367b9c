"""What confluent-kafka's reader and producer share: settings, and errors by their numbers."""
# ruff: noqa: SLF001 - librdkafka's own error codes begin with an underscore

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from server_monitoring import broker
from server_monitoring.broker import CONNECT_SECONDS
from server_monitoring.errors import one_line

SILENT = (
    KafkaError._TRANSPORT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError._TIMED_OUT,
    KafkaError._MSG_TIMED_OUT,
)
GONE = (KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET)
END = KafkaError._PARTITION_EOF
# A leader is being chosen: for a moment after a topic was made, and after a broker's restart.
LEADERLESS = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)
UNKNOWN = (
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
)


class RefusedError(KafkaException):
    """An error that reads as one: the client's own shows its structure."""

    def __str__(self) -> str:
        """Return name and reason."""
        return reason_of(self)


@contextlib.contextmanager
def translated(servers: Sequence[str], doing: str) -> Iterator[None]:
    """Turn the client's errors into a BrokerError about `doing`."""
    try:
        yield
    except TimeoutError as error:
        raise broker.no_answer(servers, doing) from error
    except KafkaException as error:
        if code_of(error) in SILENT:
            raise broker.no_answer(servers, doing) from error
        raise broker.failed(servers, reason_of(error), doing) from error


def code_of(error: KafkaException) -> int | None:
    """Return librdkafka's number of an error."""
    found = error.args[0] if error.args else None
    return found.code() if isinstance(found, KafkaError) else None


def reason_of(error: KafkaException) -> str:
    """Return an error's name and reason."""
    found = error.args[0] if error.args else error
    if isinstance(found, KafkaError):
        return one_line(f"{found.name()}: {found.str()}", 160)
    return one_line(found, 160)


def options(servers: Sequence[str]) -> dict[str, Any]:
    """Return what all clients are told."""
    return {
        "bootstrap.servers": ",".join(servers),
        "socket.timeout.ms": CONNECT_SECONDS * 1000,
        "reconnect.backoff.max.ms": 1000,
        # The client logs each retry; its final word reaches the user as a BrokerError.
        "log_level": 0,
        "error_cb": lambda _: None,
    }
