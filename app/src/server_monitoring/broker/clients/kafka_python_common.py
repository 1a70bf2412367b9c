"""What kafka-python's reader, producer and administrator are told."""

import logging
import ssl
import time
from typing import Any

from kafka.net.transport import KafkaSSLTransport

from server_monitoring.broker import failures, limits, tls
from server_monitoring.broker.cluster import MECHANISM, SASL_SSL, Cluster
from server_monitoring.broker.limits import CONNECT_SECONDS

# The client logs each retry; its final word reaches the user as a BrokerError.
logging.getLogger("kafka").addHandler(logging.NullHandler())
logging.getLogger("kafka").propagate = False


async def _handshake(transport: Any) -> None:
    """Shake hands within DOUBT_SECONDS: the client's own function waits without an end.

    Whatever is to be sent to a broker waits for it, and with that, all that the client does.
    """
    deadline = time.monotonic() + limits.DOUBT_SECONDS
    while True:
        try:
            transport._sock.do_handshake()  # noqa: SLF001 - as the client does
        except ssl.SSLWantReadError:
            await transport._net.wait_read(transport._sock, deadline)  # noqa: SLF001
        except ssl.SSLWantWriteError:
            await transport._net.wait_write(transport._sock, deadline)  # noqa: SLF001
        else:
            return


KafkaSSLTransport.handshake = _handshake


def _security(cluster: Cluster) -> dict[str, object]:
    if cluster.ca_file is None:
        return {}
    # The client tries for CONNECT_SECONDS, and then does not say why.
    failures.check_connection(cluster)
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
