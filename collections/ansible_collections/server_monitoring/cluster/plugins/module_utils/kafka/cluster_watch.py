"""A Kafka cluster looked at through kafka-python's admin client.

Right after a broker was killed all that the others say still looks whole, until its session has
ended: who restarted it asks it itself, too.
"""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from .admin import BrokerError, administrate
from .cluster_state import State, brokers_of, partitions_of, quorum_of

try:
    from kafka import errors
    from kafka.admin import ConfigResource

    # The second is the client's own, where it cannot tell whom to ask.
    FAILURES: tuple[type[Exception], ...] = (errors.KafkaError, RuntimeError)
except ImportError:
    # A connection says that it is missing.
    FAILURES = ()

ANSWER_SECONDS = 10
"""How long an answer may take."""
CONNECT_SECONDS = 3
"""How long a connection may take: a machine that is away is silent, it does not refuse."""
ATTEMPTS = 3
"""How often a look is begun anew: a client may first turn to a broker that just went away."""
LEAST = "min.insync.replicas"


def reachable(servers: list[str]) -> list[str]:
    """Return those of the servers, as address:port, that take a connection; all asked at once."""

    def takes(server: str) -> bool:
        address, _, port = server.rpartition(":")
        try:
            socket.create_connection((address.strip("[]"), int(port)), CONNECT_SECONDS).close()
        except (OSError, ValueError):
            return False
        return True

    with ThreadPoolExecutor(max_workers=max(1, len(servers))) as pool:
        return [s for s, up in zip(servers, pool.map(takes, servers), strict=True) if up]


def connect(servers: list[str], properties: str | None) -> Any:
    """Return the admin client by way of those servers that are there.

    Kafka's client would take a server by chance, and wait for it until its time is up.

    Raises:
        BrokerError: none of them answers; see `administrate`.

    """
    found = reachable(servers)
    if not found:
        message = (
            f"{', '.join(servers) or 'bootstrap_servers'}: no broker answered within "
            f"{CONNECT_SECONDS} s: see whether kafka.service is active"
        )
        raise BrokerError(message)
    return administrate(found, properties, ANSWER_SECONDS)


class Watch:
    """A cluster that is looked at again and again, by one connection as long as it holds."""

    def __init__(self, servers: list[str], properties: str | None) -> None:
        """Take the arguments of `connect`; nothing is asked yet."""
        self._servers, self._properties = servers, properties
        self._admin: Any = None
        self._answered: set[str] = set()

    def close(self) -> None:
        """End the connection."""
        if self._admin is not None:
            self._admin.close()
            self._admin = None

    def answers(self, server: str) -> None:
        """See whether one broker answers at its own address; it is asked until it did once.

        Raises:
            BrokerError: it does not.

        """
        if server not in self._answered:
            connect([server], self._properties).close()
            self._answered.add(server)

    def look(self, *, least: bool) -> State:
        """Return the cluster's state; with `least` also what min.insync.replicas is of each topic.

        Raises:
            BrokerError: no broker answers.

        """
        found: State | str = ""
        begun = time.monotonic()
        for _ in range(ATTEMPTS):
            found = self._try(least=least)
            whole = isinstance(found, State) and found.quorum is not None
            # A connection that is refused is tried elsewhere; who is silent was given its time.
            if whole or time.monotonic() >= begun + ANSWER_SECONDS:
                break
        if isinstance(found, str):
            message = f"{', '.join(self._servers)}: the brokers gave no answer ({found}): ask again"
            raise BrokerError(message)
        return found

    def _try(self, *, least: bool) -> State | str:
        """Return the state, or the kind of error with which the connection ended."""
        try:
            if self._admin is None:
                self._admin = connect(self._servers, self._properties)
            return self._read(least=least)
        except FAILURES as error:
            self.close()
            return type(error).__name__

    def _read(self, *, least: bool) -> State:
        admin = self._admin
        brokers = brokers_of(admin.describe_cluster())
        topics = admin.describe_topics()
        troubles = {t["name"]: t["error_code"] for t in topics if t["error_code"]}
        whole = [topic for topic in topics if not topic["error_code"]]
        state = State(
            brokers=brokers,
            partitions=partitions_of(whole, leasts(admin, whole) if least and whole else {}),
            troubles={name: errors.for_code(code).__name__ for name, code in troubles.items()},
        )
        # These two a broker hands on to the active controller; all else it knows by itself.
        try:
            quorum = quorum_of(admin.describe_metadata_quorum())
            moving = tuple(f"{p.topic}-{p.partition}" for p in admin.list_partition_reassignments())
        except FAILURES as error:
            self.close()
            return replace(state, silence=type(error).__name__)
        return replace(state, quorum=quorum, moving=moving)


def leasts(admin: Any, topics: list[dict[str, Any]]) -> dict[str, int]:
    """Return topic -> min.insync.replicas, its own or the cluster's."""
    wanted = [ConfigResource("TOPIC", topic["name"], [LEAST]) for topic in topics]
    found = admin.describe_configs(wanted, config_filter="all").get("topic", {})
    return {topic: int(c[LEAST]["value"]) for topic, c in found.items() if LEAST in c}
