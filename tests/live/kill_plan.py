"""What a storm kills of live mode, planned ahead: the same seed plans the same kills."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.pipeline.fault_plan import Fault

AGENT, CONSUMER, DETECTOR, BROKER = "agent", "consumer", "detector", "broker"
UNITS = (AGENT, CONSUMER, DETECTOR)
# All work is done in the moments after a whole second, at which agents sample.
AIM_SECONDS = 0.15
# A broker that was killed is away for about so long.
AWAY_SECONDS = 8.0


@dataclass(frozen=True)
class Kill(Fault):
    """A kill: of the unit `node`, of the broker `peer`, or of that unit `seconds` after the broker.

    Attributes:
        aimed: seconds after a whole one at which it happens; None for at once after the pause.

    """

    aimed: float | None = None


@dataclass(frozen=True)
class Victims:
    """Who may be killed: names of units by kind, and of brokers."""

    units: Mapping[str, Sequence[str]]
    brokers: Sequence[str]


def plan(victims: Victims, seed: int) -> Iterator[Kill]:
    """Return kills without an end: each kind, and each after a broker, takes its turn."""
    rng = random.Random(seed)
    while True:
        turn = list(_turn(victims, rng))
        rng.shuffle(turn)
        yield from turn


def _turn(victims: Victims, rng: random.Random) -> Iterator[Kill]:
    """Return two kills of each kind of unit, one of a broker, and one of each after a broker's."""

    def pause() -> float:
        return rng.uniform(0, 3)

    def broker() -> str:
        return rng.choice(victims.brokers)

    for kind in UNITS:
        names = list(victims.units[kind])
        for name in rng.sample(names, 2):
            aimed = rng.uniform(0, AIM_SECONDS)
            yield Kill(kind, name, "", pause(), aimed=aimed if rng.random() < 0.5 else None)
    yield Kill(BROKER, "", broker(), pause())
    for kind in UNITS:
        after = rng.uniform(0, AWAY_SECONDS)
        name = rng.choice(victims.units[kind])
        yield Kill(f"{BROKER}, then {kind}", name, broker(), pause(), after)
