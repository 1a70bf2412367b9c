"""Kill the processes of a run at random moments, and measure how soon each is back."""

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.pipeline.runs import RUNS
from tests.support.playbooks import on

# A victim that is not back by then never comes back.
PATIENCE_SECONDS = 90


@dataclass(frozen=True)
class Victim:
    """A service that may be killed at any moment of a run."""

    name: str
    node: str
    unit: str

    def pid(self) -> int:
        """Return the process id of the service; 0 while it does not run."""
        return int(self._show("MainPID"))

    def active(self) -> bool:
        """Return whether the service has started and said that it is ready."""
        return self._show("ActiveState") == "active"

    def done(self) -> bool:
        """Return whether the service has ended by itself."""
        return self._show("ActiveState") == "inactive"

    def _show(self, what: str) -> str:
        return on(self.node, f"systemctl show --property={what} --value {self.unit}")

    def kill(self) -> bool:
        """Send SIGKILL; return whether the service was running."""
        pid = self.pid()
        return pid > 0 and on(self.node, f"kill -KILL {pid} && echo killed || true") == "killed"


@dataclass(frozen=True)
class Kill:
    """One kill, and the seconds until the victim was back and another row was stored.

    `recovery` is None where the run had nothing more for the victim to do.
    """

    victim: str
    recovery: float | None


def victims(run_id: str) -> list[Victim]:
    """Return all services that a run needs while rows flow."""
    unit = "server-monitoring-{}@" + run_id
    return [
        Victim("producer", "producer-1", unit.format("produce")),
        Victim("consumer of cpu_mem", "consumer-1", unit.format("consume-cpu_mem")),
        Victim("consumer of net_disk", "consumer-2", unit.format("consume-net_disk")),
        Victim("broker", "kafka-1", "kafka"),
    ]


def sidecars(node: str, run_id: str) -> list[dict[str, int | str]]:
    """Return the sidecars of a run's segments on a node."""
    lines = on(node, f"cat {RUNS}/{run_id}/raw/*/*.json 2>/dev/null | tr -d '\\n' || true")
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(lines):
        sidecar, at = decoder.raw_decode(lines, at)
        found.append(sidecar)
    return found


def rows_stored(node: str, run_id: str) -> int:
    """Return how many rows of a run a node has stored."""
    return sum(int(sidecar["rows"]) for sidecar in sidecars(node, run_id))


class Storm:
    """Kills that follow each other: each one at a random moment after the last was overcome."""

    def __init__(self, run_id: str, rng: random.Random, ended: Callable[[], bool]) -> None:
        """Rage against the run until `ended()`."""
        self._run_id = run_id
        self._rng = rng
        self._ended = ended
        self._victims = victims(run_id)
        self._producer, self._consumer = self._victims[:2]

    def rage(self, kills: int) -> list[Kill]:
        """Return the kills; fewer than `kills` where the run ends before."""
        if not self._wait(self._producer.active):
            return []
        done: list[Kill] = []
        while len(done) < kills and not self._producer.done():
            time.sleep(self._rng.uniform(0, 2))
            # Each takes its turn, in an order that changes: no unit is killed more often than
            # systemd starts it again.
            at = len(done) % len(self._victims)
            if at == 0:
                self._rng.shuffle(self._victims)
            if self._victims[at].kill():
                done.append(Kill(self._victims[at].name, self._recovery(self._victims[at])))
        return done

    def _recovery(self, victim: Victim) -> float | None:
        """Return the seconds until the victim is back and a row was stored after that."""
        began = time.monotonic()
        consumer = victim if victim.node.startswith("consumer") else self._consumer
        if not self._wait(lambda: victim.active() or consumer.done()):
            return None
        before = rows_stored(consumer.node, self._run_id)

        def stored() -> bool:
            return rows_stored(consumer.node, self._run_id) > before

        if not self._wait(lambda: stored() or consumer.done()) or not stored():
            return None
        return time.monotonic() - began

    def _wait(self, until: Callable[[], bool]) -> bool:
        """Return whether `until()` came true before the run's end."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not until():
            if self._ended():
                return False
            assert time.monotonic() < deadline, f"run {self._run_id}: not back in time"
            time.sleep(0.1)
        return True


def report(kills: Sequence[Kill]) -> str:
    """Return a table of the victims with the median and the longest recovery in seconds."""
    lines = [f"{'killed':<22} {'times':>5} {'median':>7} {'longest':>8}"]
    for name in sorted({kill.victim for kill in kills}):
        own = [kill for kill in kills if kill.victim == name]
        seconds = sorted(kill.recovery for kill in own if kill.recovery is not None)
        middle = f"{seconds[len(seconds) // 2]:7.1f}" if seconds else f"{'-':>7}"
        longest = f"{seconds[-1]:8.1f}" if seconds else f"{'-':>8}"
        lines.append(f"{name:<22} {len(own):>5} {middle} {longest}")
    return "\n".join(lines)
