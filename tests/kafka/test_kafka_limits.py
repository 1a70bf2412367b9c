"""What one account and one address may take of the broker: it goes on serving the others."""

import secrets
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from server_monitoring.broker.cluster import Cluster, Credentials
from server_monitoring.broker.limits import MAX_REQUEST_BYTES
from server_monitoring.broker.probe import probe
from server_monitoring.model.names import PROBE_TOPIC

from tests.kafka.kafka_broker import create_topics, running_broker
from tests.kafka.kafka_module import run_module
from tests.kafka.limited_broker import (
    PER_ADDRESS,
    REQUEST_BYTES,
    LimitedBroker,
    connections,
)
from tests.support.lying import announce

SECRET = secrets.token_urlsafe(32)
PROBE = {"resource": "topic", "name": PROBE_TOPIC, "operations": ["read", "write"]}
READ = {"resource": "topic", "name": PROBE_TOPIC, "operations": ["read"]}
PATIENCE = 10.0
"""Seconds that a probe may take on a machine that does other things: calm it takes one or two."""


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LimitedBroker]:
    """Return a broker with the role's limits, an honest user and one that only reads."""
    with running_broker(LimitedBroker, tmp_path_factory.mktemp("limited")) as broker:
        create_topics(broker.address, {PROBE_TOPIC: 1})
        users = [{"name": "honest", "acls": [PROBE]}, {"name": "reader", "acls": [READ]}]
        passwords = dict.fromkeys(("honest", "reader"), SECRET)
        done = run_module("kafka_access", broker.arguments(users=users, passwords=passwords))
        assert done["changed"], done
        yield broker


def honest_seconds(broker: LimitedBroker) -> float:
    """Return how long a record takes there and back."""
    cluster = Cluster((broker.clients,), Path(broker.authority.file), Credentials("honest", SECRET))
    begin = time.monotonic()
    probe(cluster)
    return time.monotonic() - begin


def strangers(count: int) -> list[str]:
    """Return addresses that may hold `count` connections together, as many as each may."""
    return [f"127.0.0.{2 + place // PER_ADDRESS}" for place in range(count)]


def test_lying_connections_neither_end_nor_stall_the_broker(limited: LimitedBroker) -> None:
    """Those of four hosts announce the largest request each, and others are served as before."""
    with connections(limited, "reader", SECRET, strangers(4 * PER_ADDRESS)) as held:
        for connection in held:
            announce(connection, REQUEST_BYTES)
        assert honest_seconds(limited) < PATIENCE
        assert honest_seconds(limited) < PATIENCE
    assert limited.process is not None
    assert limited.process.poll() is None


@pytest.mark.long
def test_five_hundred_lying_connections_fit(limited: LimitedBroker) -> None:
    """So many that the broker's whole memory for requests is announced."""
    with connections(limited, "reader", SECRET, strangers(500)) as held:
        for connection in held:
            announce(connection, REQUEST_BYTES)
        assert honest_seconds(limited) < PATIENCE
        assert honest_seconds(limited) < PATIENCE


def test_a_larger_request_ends_its_connection(limited: LimitedBroker) -> None:
    """One byte above what is taken."""
    with connections(limited, "reader", SECRET, ["127.0.0.60"]) as (connection,):
        announce(connection, REQUEST_BYTES + 1)
        assert connection.recv(1) == b""


def test_an_address_holds_no_more_than_its_connections(limited: LimitedBroker) -> None:
    """The others are closed at once, and other addresses come in."""
    target = ("127.0.0.1", limited.client_port)
    socks = [
        socket.create_connection(target, 20, source_address=("127.0.0.61", 0))
        for _ in range(PER_ADDRESS + 20)
    ]
    try:
        time.sleep(2)
        assert honest_seconds(limited) < PATIENCE
        closed = 0
        for sock in socks:
            sock.settimeout(0.1)
            try:
                closed += sock.recv(1) == b""
            except TimeoutError:
                continue
        assert closed == 20
    finally:
        for sock in socks:
            sock.close()


def test_who_has_not_logged_in_says_little(limited: LimitedBroker) -> None:
    """A connection that announces a long message before its login is closed."""
    context = ssl.create_default_context(cafile=str(limited.authority.file))
    with (
        socket.create_connection(("127.0.0.1", limited.client_port), 20) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        announce(connection, 20_000)
        assert connection.recv(1) == b""


def test_the_app_s_requests_fit(limited: LimitedBroker) -> None:
    """With what a request has around its records."""
    assert MAX_REQUEST_BYTES + 40_000 <= REQUEST_BYTES
    assert honest_seconds(limited) < PATIENCE
