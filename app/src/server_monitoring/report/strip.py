"""The heat strip: how bad each stretch of time was, for a server and for all of them. Pure."""

from collections.abc import Iterable

from server_monitoring.model.incidents import Incident, level

# Stretches that a strip has: one for each two or three pixels of a wide screen.
BINS = 360


class Strip:
    """Time from `first` to `last`, in seconds, cut into BINS equal stretches."""

    def __init__(self, first: int, last: int) -> None:
        """Take the ends of the time that is shown."""
        self._first = first
        self._span = max(last - first, 1)

    def places(self, incident: Incident) -> range:
        """Return the stretches that an incident shares time with, one at least."""
        begin = (incident.start - self._first) * BINS // self._span
        end = -((self._first - incident.end) * BINS // self._span)
        begin = min(max(begin, 0), BINS - 1)
        return range(begin, max(min(end, BINS), begin + 1))

    def levels(self, incidents: Iterable[Incident]) -> str:
        """Return BINS digits: 0 for no alert, else the level of the worst incident there."""
        worst = [0] * BINS
        for incident in incidents:
            bad = level(incident.worst.ratio)
            for place in self.places(incident):
                worst[place] = max(worst[place], bad)
        return "".join(map(str, worst))

    def counts(self, incidents: Iterable[Incident]) -> list[int]:
        """Return for each stretch how many servers had an incident in it."""
        servers: list[set[str]] = [set() for _ in range(BINS)]
        for incident in incidents:
            for place in self.places(incident):
                servers[place].add(incident.server)
        return [len(found) for found in servers]
