"""A broker with the limits that the role kafka gives it, and clients that strain them."""

import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.kafka.access_broker import AccessBroker
from tests.kafka.authority import LOOPBACK
from tests.support.kafka_templates import VALUES, properties
from tests.support.lying import log_in

LIMITS = (
    "max.connections.per.ip",
    "max.connections",
    "max.connection.creation.rate",
    "connections.max.idle.ms",
    "socket.request.max.bytes",
    "queued.max.request.bytes",
    "message.max.bytes",
    "sasl.server.max.receive.size",
    "group.coordinator.rebalance.protocols",
    "group.max.size",
)
JAVA = "-XX:+UseG1GC -XX:MaxGCPauseMillis=50 -XX:TieredStopAtLevel=1 -XX:+ExitOnOutOfMemoryError"
PER_ADDRESS = int(str(VALUES["kafka_max_connections_per_ip"]))
REQUEST_BYTES = int(str(VALUES["kafka_max_request_bytes"]))


@dataclass
class LimitedBroker(AccessBroker):
    """A broker as `AccessBroker`, with the role's heap, collector and limits."""

    def format(self, properties_: str = "") -> None:
        """Take the role's limits from its own template."""
        self.heap, self.java = str(VALUES["kafka_heap"]), JAVA
        made = properties(kafka_access_enabled=True)
        names = (f"listener.name.client.{n}" if n not in made else n for n in LIMITS)
        super().format("".join(f"{n}={made[n]}\n" for n in names) + properties_)


@contextmanager
def connections(
    broker: AccessBroker, user: str, secret: str, addresses: list[str]
) -> Iterator[list[ssl.SSLSocket]]:
    """Log in once from each of the addresses, on loopback, and keep the connections."""
    who = (LOOPBACK, broker.client_port, str(broker.authority.file), user, secret)
    with ExitStack() as stack:
        yield [stack.enter_context(log_in(*who, address)) for address in addresses]
