"""A made-up data set with known incidents: what the analysis must find, and nothing else.

Pure but for the random numbers, which a seed determines. Each value is its metric's threshold less
a distance that follows the time of day, with noise; it never comes near the threshold. During an
incident, the metrics that its label names are above theirs.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from server_monitoring.errors import UsageError
from server_monitoring.model.groups import Group
from server_monitoring.model.timestamps import CLOCK, SECONDS_PER_DAY, time_text
from server_monitoring.settings.config import Config

KINDS = {"both": (True, True), "first": (True, False), "second": (False, True)}
PERCENT = 100.0
NOISE = 0.1


@dataclass(frozen=True)
class Plan:
    """What to simulate.

    Attributes:
        servers: how many.
        seconds: how long, from the setting `start` on, or from 00:00:00 if it is empty.
        interval: seconds between two rows of a server.
        incidents: how many of each label of each group.
        seed: the same seed and settings give the same data set.

    """

    servers: int
    seconds: int
    interval: int
    incidents: int
    seed: int


class Incident(NamedTuple):
    """Rows of `server` with start <= second < end are above the thresholds that `kind` names."""

    start: int
    end: int
    server: int
    group: str
    kind: str


class Simulation:
    """A plan, applied to a configuration."""

    def __init__(self, config: Config, plan: Plan) -> None:
        """Place the incidents.

        Raises:
            UsageError: the plan does not fit into the day, the windows, or itself.

        """
        self._config = config
        self._plan = plan
        self._start = config.start or CLOCK.epoch
        self._form = config.time_form() or CLOCK
        self._first = self._form.to_seconds(self._start)
        self._check()
        self.incidents = self._place()

    def _check(self) -> None:
        plan, end = self._plan, self._first + self._plan.seconds
        if self._form is CLOCK and end > SECONDS_PER_DAY:
            raise UsageError(
                f"--seconds: found {plan.seconds}, expected at most "
                f"{SECONDS_PER_DAY - self._first}: the data begin at {self._start}, and "
                "HH:mm:ss ends at midnight; set an earlier start, or one with a date"
            )
        if plan.interval > self._config.window_seconds:
            raise UsageError(
                f"--interval: found {plan.interval}, expected at most the "
                f"{self._config.window_seconds} of window_seconds"
            )

    def _place(self) -> list[Incident]:
        """Give each incident a place of its own, so far from others that no window covers two."""
        plan, window = self._plan, self._config.window_seconds
        # Long enough to contain a whole window, wherever the windows start.
        length = window + self._config.slide_seconds
        slot = length + 2 * window
        slots = plan.seconds // slot
        wanted = [(g, kind) for g in self._config.groups for kind in KINDS] * plan.incidents
        if len(wanted) > slots * plan.servers:
            raise UsageError(
                f"--incidents: {len(wanted)} in all do not fit into {plan.servers} servers and "
                f"{plan.seconds} s, which have room for {slots * plan.servers} (one in {slot} s); "
                "take more servers or seconds"
            )
        rng = random.Random(plan.seed)  # noqa: S311 - data needs a seed, not secrecy
        places = rng.sample(range(slots * plan.servers), len(wanted))
        found = []
        for (group, kind), place in zip(wanted, places, strict=True):
            start = self._first + place // plan.servers * slot + window
            found.append(Incident(start, start + length, place % plan.servers, group, kind))
        return sorted(found)

    def header(self) -> list[str]:
        """Return the data set's columns."""
        return ["ts", "server_id", *(m.column for m in self._config.metrics())]

    def rows(self) -> Iterator[list[str]]:
        """Yield the data set's rows by time and server."""
        # Another seed, so that values do not depend on where incidents are placed.
        rng = random.Random(self._plan.seed + 1)  # noqa: S311 - likewise
        names = [self.server_id(server) for server in range(self._plan.servers)]
        waiting = self.incidents[::-1]
        active: dict[int, Incident] = {}
        for second in range(self._first, self._first + self._plan.seconds, self._plan.interval):
            while waiting and waiting[-1].start <= second:
                incident = waiting.pop()
                active[incident.server] = incident
            active = {server: i for server, i in active.items() if second < i.end}
            ts = time_text(second, self._start)
            for server, name in enumerate(names):
                yield [ts, name, *self._values(rng, second, server, active.get(server))]

    def server_id(self, server: int) -> str:
        """Return a server's name."""
        return f"server-{server + 1:0{len(str(self._plan.servers))}d}"

    def _values(
        self, rng: random.Random, second: int, server: int, incident: Incident | None
    ) -> Iterator[str]:
        # Each server has its own busiest hour.
        phase = second / SECONDS_PER_DAY + server / self._plan.servers
        load = 0.5 - 0.5 * math.cos(2 * math.pi * phase)
        for group in self._config.groups.values():
            above = _above(group, incident)
            for metric, high in zip(group.metrics, above, strict=True):
                threshold = float(self._config.thresholds[metric.column])
                noise = rng.uniform(-NOISE, NOISE)
                yield _value(threshold, metric.column, load, noise, high=high)

    def truth(self) -> Iterator[list[str]]:
        """Yield the incidents: server, start, end (not included), group, label."""
        for incident in self.incidents:
            times = [time_text(s, self._start) for s in (incident.start, incident.end)]
            label = getattr(self._config.groups[incident.group].labels, incident.kind)
            yield [self.server_id(incident.server), *times, incident.group, label]


TRUTH_HEADER = ["server_id", "incident_start", "incident_end", "group", "alert"]


def _above(group: Group, incident: Incident | None) -> tuple[bool, bool]:
    if incident is None or incident.group != group.name:
        return (False, False)
    return KINDS[incident.kind]


def _value(threshold: float, column: str, load: float, noise: float, *, high: bool) -> str:
    """Return a value; `load` is 0 to 1, `noise` -NOISE to NOISE."""
    size = abs(threshold) or 1.0
    percent = column.endswith("_pct") and 0 < threshold < PERCENT
    room = PERCENT - threshold if percent else size / 2
    if high:
        value = threshold + room * (0.5 + 0.3 * load + noise)
    else:
        value = threshold - size * (0.8 - 0.5 * load + noise)
    # Three digits finer than the room above the threshold, and never fewer than two.
    return repr(round(value, max(2, 3 - math.floor(math.log10(room)))))
