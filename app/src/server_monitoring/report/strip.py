"""The heat strip: how bad each stretch of time was, for one server or for all. Pure."""

from collections.abc import Iterable

from server_monitoring.model.incidents import Incident, level

# Stretches of a strip: one per two or three pixels of a wide screen.
BINS = 360


class Strip:
    """The time from `first` to `last`, in seconds, divided into BINS equal stretches."""

    def __init__(self, first: int, last: int) -> None:
        """Divide the time from `first` to `last`."""
        self._first = first
        self._span = max(last - first, 1)

    def places(self, incident: Incident) -> range:
        """Return the stretches that an incident overlaps, at least one."""
        begin = (incident.start - self._first) * BINS // self._span
        end = -((self._first - incident.end) * BINS // self._span)
        begin = min(max(begin, 0), BINS - 1)
        return range(begin, max(min(end, BINS), begin + 1))

    def levels(self, incidents: Iterable[Incident]) -> str:
        """Return BINS digits: 0 for no alert, or the level of the worst incident there."""
        worst = [0] * BINS
        for incident in incidents:
            bad = level(incident.worst.ratio)
            for place in self.places(incident):
                worst[place] = max(worst[place], bad)
        return "".join(map(str, worst))

    def counts(self, incidents: Iterable[Incident]) -> list[int]:
        """Return how many servers had an incident in each stretch."""
        servers: list[set[str]] = [set() for _ in range(BINS)]
        for incident in incidents:
            for place in self.places(incident):
                servers[place].add(incident.server)
        return [len(found) for found in servers]
