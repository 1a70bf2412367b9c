"""Values that make incidents: each metric of each server is high for a while, then low."""

import random
import threading
from collections.abc import Sequence

from tests.live.site import Agent

TICK_SECONDS = 0.5
# Of each metric, below and above the default threshold; the first two are averaged.
LOW = (12.0, 15.0, 300.0, 250.0)
HIGH = (97.0, 96.0, 5_000.0, 6_000.0)
# How often a level changes, in each tick: averages and maxima need other times.
UP = (0.02, 0.02, 0.01, 0.01)
DOWN = (0.02, 0.02, 0.1, 0.1)


class Driver:
    """Drives the sources of agents, until it is calm or over."""

    def __init__(self, agents: Sequence[Agent], seed: int) -> None:
        """Give each source its first values, and drive it in a thread."""
        self._agents = agents
        self._rng = random.Random(seed)
        self._high = [[False] * len(LOW) for _ in agents]
        self._calm = self._over = False
        self._waker = threading.Event()
        self._drive()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def calm(self) -> None:
        """Let all values be low from now on."""
        self._calm = True
        self._waker.set()

    def end(self) -> None:
        """Drive no longer."""
        self._over = True
        self._waker.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over:
            self._drive()
            self._waker.wait(TICK_SECONDS)
            self._waker.clear()

    def _drive(self) -> None:
        for agent, levels in zip(self._agents, self._high, strict=True):
            for metric, high in enumerate(levels):
                odds = (DOWN if high else UP)[metric]
                levels[metric] = not self._calm and high != (self._rng.random() < odds)
            agent.drive(
                (HIGH if high else LOW)[metric] * self._rng.uniform(0.9, 1.02)
                for metric, high in enumerate(levels)
            )
