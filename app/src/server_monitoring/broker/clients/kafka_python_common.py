"""What kafka-python's reader, producer and administrator are told."""

import logging

from server_monitoring.broker import failures, tls
from server_monitoring.broker.cluster import MECHANISM, SASL_SSL, Cluster
from server_monitoring.broker.limits import CONNECT_SECONDS

# The client logs each retry; its final word reaches the user as a BrokerError.
logging.getLogger("kafka").addHandler(logging.NullHandler())
logging.getLogger("kafka").propagate = False


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
