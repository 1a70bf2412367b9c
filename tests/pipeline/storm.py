"""Faults in the middle of a run, one after the other, and how soon each is overcome."""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from tests.pipeline import units
from tests.pipeline.broker_faults import clock_apart, full_disk
from tests.pipeline.brokers import wait_until_whole
from tests.pipeline.fault_plan import CLOCK, CONSUMER, DISK, LINK, PRODUCER, Fault, Lab
from tests.pipeline.outages import overlay_cut
from tests.pipeline.runs import RUNS
from tests.pipeline.units import Unit
from tests.support.playbooks import on

# What is not back by then never comes back.
PATIENCE_SECONDS = 90


@dataclass(frozen=True)
class Overcome:
    """A fault, and the seconds from its begin until all is back and another row was stored.

    `recovery` is None where the run had nothing more to store.
    """

    fault: Fault
    recovery: float | None


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
    """Faults that follow each other: each one a planned pause after the last was overcome."""

    def __init__(self, lab: Lab, run_id: str, ended: Callable[[], bool]) -> None:
        """Rage against the run until `ended()`."""
        self._lab = lab
        self._run_id = run_id
        self._ended = ended
        self._producer = units.producer(lab.producer, run_id)
        self._reader = self._consumer(next(iter(lab.consumers)))

    def rage(self, faults: Iterable[Fault]) -> list[Overcome]:
        """Return the faults that happened; fewer than `faults` where all rows were sent before."""
        done: list[Overcome] = []
        if not self._wait(self._producer.active):
            return done
        for fault in faults:
            time.sleep(fault.pause)
            if self._producer.done() or self._ended():
                break
            done.append(self._overcome(fault))
        return done

    def _overcome(self, planned: Fault) -> Overcome:
        """Let a fault happen, and wait until it is overcome."""
        # Nobody can plan which controller is active.
        fault = replace(planned, node=planned.node or wait_until_whole(self._lab))
        unit = self._unit(fault)
        reader = unit if fault.kind == CONSUMER else self._reader
        began = time.monotonic()
        with self._broken(fault, unit):
            time.sleep(fault.seconds)
        if not self._wait(lambda: unit.active() or reader.done()):
            return Overcome(fault, None)
        wait_until_whole(self._lab)
        before = rows_stored(reader.node, self._run_id)

        def stored() -> bool:
            return rows_stored(reader.node, self._run_id) > before

        self._wait(lambda: stored() or reader.done())
        return Overcome(fault, time.monotonic() - began if stored() else None)

    def _broken(self, fault: Fault, unit: Unit) -> AbstractContextManager[object]:
        """Return what breaks something and ends it; a kill has happened then."""
        address = self._lab.brokers
        if fault.kind == LINK:
            return overlay_cut(fault.node, address[fault.node], address[fault.peer])
        if fault.kind == DISK:
            return full_disk(fault.node)
        if fault.kind == CLOCK:
            return clock_apart(fault.node, fault.hours)
        return nullcontext(unit.kill())

    def _unit(self, fault: Fault) -> Unit:
        """Return the unit that a fault meets."""
        if fault.kind == PRODUCER:
            return self._producer
        if fault.kind == CONSUMER:
            return self._consumer(fault.node)
        return units.broker(fault.node)

    def _consumer(self, node: str) -> Unit:
        return units.consumer(node, self._lab.consumers[node], self._run_id)

    def _wait(self, until: Callable[[], bool]) -> bool:
        """Return whether `until()` came true before the run's end."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not until():
            if self._ended():
                return False
            assert time.monotonic() < deadline, f"run {self._run_id}: not back in time"
            time.sleep(0.1)
        return True


def report(faults: Sequence[Overcome]) -> str:
    """Return a table of the kinds with the median and the longest recovery in seconds."""
    lines = [f"{'fault':<22} {'times':>5} {'median':>7} {'longest':>8}"]
    for kind in sorted({one.fault.kind for one in faults}):
        own = [one for one in faults if one.fault.kind == kind]
        seconds = sorted(one.recovery for one in own if one.recovery is not None)
        middle = f"{seconds[len(seconds) // 2]:7.1f}" if seconds else f"{'-':>7}"
        longest = f"{seconds[-1]:8.1f}" if seconds else f"{'-':>8}"
        lines.append(f"{kind:<22} {len(own):>5} {middle} {longest}")
    return "\n".join(lines)
