"""What kafka-python's reader and producer share: settings, and errors by their classes."""

import contextlib
import logging
from collections.abc import Iterator

from kafka.errors import (
    AuthorizationError,
    ClusterAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    SaslAuthenticationFailedError,
    TopicAuthorizationFailedError,
)

from server_monitoring.broker import failures, tls
from server_monitoring.broker.cluster import MECHANISM, SASL_SSL, Cluster
from server_monitoring.broker.limits import CONNECT_SECONDS
from server_monitoring.broker.login import WRONG_PASSWORD
from server_monitoring.errors import BrokerError, one_line

_NO_PRODUCER = ClusterAuthorizationFailedError.__name__

# The client logs each retry; its final word reaches the user as a BrokerError.
logging.getLogger("kafka").addHandler(logging.NullHandler())
logging.getLogger("kafka").propagate = False


@contextlib.contextmanager
def translated(cluster: Cluster, doing: str, needs: str = "") -> Iterator[None]:
    """Turn the client's errors into a BrokerError about `doing`, which needs a right."""
    try:
        yield
    except (KafkaTimeoutError, KafkaConnectionError) as error:
        raise failures.no_answer(cluster, doing) from error
    except KafkaError as error:
        refused = refusal(cluster, error, doing, needs)
        raise refused or failures.failed(cluster, one_line(error, 160), doing) from error


def refusal(cluster: Cluster, error: Exception, doing: str, needs: str = "") -> BrokerError | None:
    """Return the error for a user who is refused; None if `error` is another one."""
    if isinstance(error, SaslAuthenticationFailedError):
        return failures.authentication_failed(cluster, WRONG_PASSWORD)
    # Of a producer that may write nothing it only says so in a text.
    if isinstance(error, AuthorizationError) or _NO_PRODUCER in str(error):
        kind = "topic" if isinstance(error, TopicAuthorizationFailedError) else "group"
        return failures.not_authorized(cluster, one_line(error, 160), doing, needs, kind)
    return None


def _security(cluster: Cluster) -> dict[str, object]:
    if cluster.ca_file is None:
        return {}
    failures.check_connection(
        cluster
    )  # The client tries for CONNECT_SECONDS, and then does not say why.
    return {
        "security_protocol": SASL_SSL,
        "ssl_context": tls.context(cluster),
        "sasl_mechanism": MECHANISM,
        "sasl_plain_username": cluster.identity.username,
        "sasl_plain_password": cluster.identity.password,
    }


def admin_options(cluster: Cluster) -> dict[str, object]:
    """Return what all clients are told."""
    return _security(cluster) | {
        "bootstrap_servers": list(cluster.servers),
        "bootstrap_timeout_ms": CONNECT_SECONDS * 1000,
        "request_timeout_ms": CONNECT_SECONDS * 1000,
        "reconnect_backoff_max_ms": 1000,
    }


def options(cluster: Cluster) -> dict[str, object]:
    """Return what producers and consumers are told."""
    more = {"allow_auto_create_topics": False, "metrics_enabled": False}
    return admin_options(cluster) | more
