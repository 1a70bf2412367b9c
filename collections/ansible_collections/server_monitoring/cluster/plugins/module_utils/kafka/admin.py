"""How Ansible modules reach a Kafka cluster to administrate it: by mutual TLS, or in plain text."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

try:
    from kafka import KafkaAdminClient, errors
except ImportError:
    # A check of declarations needs no client; a connection says that it is missing.
    KafkaAdminClient = None


class BrokerError(Exception):
    """The broker did not answer or refused a request; the message is one line."""


@contextmanager
def needs_app() -> Iterator[None]:
    """Import from the app what only a connection needs: a check of declarations does without.

    Raises:
        BrokerError: there is no app, or one of a version that lacks this.

    """
    try:
        yield
    except ImportError as error:
        message = (
            f"{sys.executable}: found no app of this version ({error}), expected it: run the app's "
            "play (playbooks/app.yml) first"
        )
        raise BrokerError(message) from error


def read_stores(path: str) -> dict[str, str]:
    """Return the key store's and the trust store's place from a file of Kafka's properties.

    Raises:
        BrokerError: the file cannot be read, or does not name them.

    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        message = f"{path}: {error.strerror}: run the play of Kafka (playbooks/kafka.yml) first"
        raise BrokerError(message) from error
    found = dict(line.split("=", 1) for line in lines if "=" in line and line[:1] not in "#!")
    found = {key.strip(): value.strip() for key, value in found.items()}
    stores = {}
    for store in ("keystore", "truststore"):
        key = f"ssl.{store}.location"
        if not found.get(key):
            message = f"{path}: found no {key}, expected it to name a PEM file"
            raise BrokerError(message)
        stores[store] = found[key]
    return stores


def tls_context(stores: dict[str, str], *, with_key: bool) -> ssl.SSLContext:
    """Return TLS 1.3 that trusts the trust store, and shows the key store's certificate.

    Raises:
        BrokerError: a file cannot be used.

    """
    with needs_app():
        from server_monitoring.broker.cluster import Cluster  # noqa: PLC0415
        from server_monitoring.broker.tls import trusting  # noqa: PLC0415
    file = stores["truststore"]
    try:
        context = trusting(Cluster((), Path(file)))
        if with_key:
            file = stores["keystore"]
            context.load_cert_chain(file)
    except (OSError, ValueError) as error:
        message = f"{file}: cannot be used as a PEM store: {error}"
        raise BrokerError(message) from error
    return context


def administrate(servers: list[str], properties: str | None, timeout: int) -> Any:
    """Return kafka-python's admin client.

    Args:
        servers: as host:port, of the listener with mutual TLS if there are `properties`.
        properties: file of Kafka's properties with the stores; None for plain text.
        timeout: seconds that each answer may take.

    Raises:
        BrokerError: no broker answers in time, there is no client, or a store is no good.

    """
    if KafkaAdminClient is None:
        message = f"{sys.executable}: found no kafka-python, expected it: run the app's play first"
        raise BrokerError(message)
    options, remedy = _security(servers, properties, timeout)
    try:
        return KafkaAdminClient(
            bootstrap_servers=servers,
            bootstrap_timeout_ms=timeout * 1000,
            request_timeout_ms=timeout * 1000,
            **options,
        )
    except errors.KafkaError as error:
        message = (
            f"{', '.join(servers)}: no broker answered within {timeout} s "
            f"({type(error).__name__}): {remedy}"
        )
        raise BrokerError(message) from error


def _security(
    servers: list[str], properties: str | None, timeout: int
) -> tuple[dict[str, Any], str]:
    """Return the client's options, and what to do if it gets no answer."""
    if properties is None:
        return {}, "see whether kafka.service is active"
    stores = read_stores(properties)
    context = tls_context(stores, with_key=True)
    # kafka-python does not say what is wrong with a certificate.
    reasons = [reason for server in servers if (reason := _trouble(server, context, timeout))]
    if len(reasons) == len(servers):
        raise BrokerError("; ".join(reasons) or "no broker is named")
    remedy = f'see "journalctl -u kafka": it may refuse the certificate {stores["keystore"]}'
    return {"security_protocol": "SSL", "ssl_context": context}, remedy


def _trouble(server: str, context: ssl.SSLContext, timeout: float) -> str:
    """Return why a broker is not reached by TLS, or nothing."""
    with needs_app():
        from server_monitoring.broker.tls import connect  # noqa: PLC0415
    try:
        connect(server, context, timeout).close()
    except (OSError, ValueError) as error:
        return f"{server}: {error}: see whether kafka.service is active and its certificate good"
    return ""
