"""What a storm does to a lab, planned ahead: the same seed plans the same faults."""

import os
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.infra.nodes import inventory, members

# The first four are killed.
PRODUCER, CONSUMER, BROKER, CONTROLLER = "producer", "consumer", "broker", "active controller"
LINK, DISK, CLOCK = "link cut", "disk full", "clock apart"
KINDS = (PRODUCER, CONSUMER, BROKER, CONTROLLER, LINK, DISK, CLOCK)


@dataclass(frozen=True)
class Lab:
    """Who does what in a lab.

    Attributes:
        producer: a node.
        consumers: node -> metric group.
        brokers: node -> address on the overlay.

    """

    producer: str
    consumers: dict[str, str]
    brokers: dict[str, str]

    @property
    def servers(self) -> list[str]:
        """Return address:port by which the brokers are administrated."""
        return [f"{address}:9094" for address in self.brokers.values()]


def lab() -> Lab:
    """Return the lab that the environment names, by its inventory."""
    path = os.environ.get("ANSIBLE_INVENTORY")
    listed = inventory(path)
    variables = listed["_meta"]["hostvars"]
    groups = ("cpu_mem", "net_disk")
    return Lab(
        producer=members(path, "producers")[0],
        consumers={members(path, f"consumers_{group}")[0]: group for group in groups},
        brokers={node: variables[node]["zerotier_ip"] for node in listed["kafka"]["hosts"]},
    )


@dataclass(frozen=True)
class Fault:
    """One fault: what breaks after a pause, and for how long.

    Attributes:
        kind: one of `KINDS`.
        node: whom it meets; empty for the active controller, whichever that is then.
        peer: the broker at the other end of a link that is cut.
        pause: seconds before it, after the last one was overcome.
        seconds: that it lasts; a kill lasts no time.
        hours: by which a clock is apart.

    """

    kind: str
    node: str
    peer: str = ""
    pause: float = 0.0
    seconds: float = 0.0
    hours: int = 0


def plan(lab: Lab, seed: int, without: Iterable[str] = ()) -> Iterator[Fault]:
    """Return faults without an end, for a lab of one broker or of several.

    Each kind takes its turn, and each consumer, in an order that changes: no unit of a run is
    killed more often than systemd starts it again. Kinds of `without` are left out.
    """
    rng = random.Random(seed)
    while True:
        # All is drawn, also what is left out: other faults stay as they were.
        drawn = list(_turns(lab, rng))
        rng.shuffle(drawn)
        yield from (fault for fault in drawn if fault.kind not in without)


def _turns(lab: Lab, rng: random.Random) -> Iterator[Fault]:
    """Return one fault of each kind, a kill of each consumer."""
    brokers = list(lab.brokers)

    def pause() -> float:
        return rng.uniform(0, 2)

    yield Fault(PRODUCER, lab.producer, pause=pause())
    for node in lab.consumers:
        yield Fault(CONSUMER, node, pause=pause())
    yield Fault(BROKER, rng.choice(brokers), pause=pause())
    if len(brokers) > 1:
        yield Fault(CONTROLLER, "", pause=pause())
        node, peer = rng.sample(brokers, 2)
        # Below and above the six seconds after which a broker that is not heard of is fenced.
        yield Fault(LINK, node, peer, pause(), rng.uniform(3, 9))
        yield Fault(DISK, rng.choice(brokers), "", pause(), rng.uniform(1, 3))
        hours = rng.choice((-1, 1)) * rng.randint(1, 12)
        yield Fault(CLOCK, rng.choice(brokers), "", pause(), rng.uniform(3, 6), hours)
