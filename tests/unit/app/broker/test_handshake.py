"""kafka-python's TLS handshake with a broker that says nothing."""

import socket
import ssl

import pytest
from kafka.errors import KafkaTimeoutError
from kafka.net.selector import NetworkSelector
from kafka.net.transport import KafkaSSLTransport
from server_monitoring.broker import limits
from server_monitoring.broker.client import client_for
from server_monitoring.broker.limits import KAFKA_PYTHON

WAIT_MS = 10_000


def test_a_handshake_that_is_not_answered_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel lets a connection in for a process that stands still."""
    client_for(KAFKA_PYTHON)
    monkeypatch.setattr(limits, "DOUBT_SECONDS", 0.2)
    net = NetworkSelector()
    ours, silent = socket.socketpair()
    ours.settimeout(0)
    context = ssl.create_default_context()
    transport = KafkaSSLTransport(net, ours, host="broker", ssl_context=context)
    ended = net.call_soon_with_future(transport.handshake)
    net.poll(timeout_ms=WAIT_MS, future=ended)
    transport.abort()
    net.close()
    silent.close()
    assert isinstance(ended.exception, KafkaTimeoutError)
