"""What differs between the incidents of two runs. Pure.

Two incidents are the same one if server, group and label are equal and they overlap or touch; of
several, the one that shares the most time. It has changed if its times, windows or peaks differ.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from server_monitoring.errors import ResultsError
from server_monitoring.model.incidents import Incident
from server_monitoring.results.manifest import Manifest

NEW, GONE, CHANGED = "new", "gone", "changed"


class Change(NamedTuple):
    """An incident that only one of the runs has, or that they have differently."""

    kind: str
    now: Incident | None
    was: Incident | None

    @property
    def incident(self) -> Incident:
        """The incident as it is now, or as it was if it is gone."""
        found = self.now or self.was
        if found is None:
            raise ValueError(self.kind)
        return found


def check_comparable(now: Manifest, was: Manifest) -> None:
    """Refuse two runs whose times cannot be compared.

    Raises:
        ResultsError: one has times of day, the other dates.

    """
    if now.time_form() is not was.time_form():
        raise ResultsError(
            f"{was.path}: found times like {was.times_like}, expected the form of {now.times_like} "
            f"as in {now.path}; compare runs whose times have the same form"
        )


def differences(now: Manifest, was: Manifest) -> list[str]:
    """Return the settings that differ between two runs, each as name: now, was."""
    mine, other = now.facts["settings"], was.facts["settings"]
    return [
        f"{key}: {mine.get(key)}, was {other.get(key)}"
        for key in sorted({*mine, *other})
        if mine.get(key) != other.get(key)
    ]


def compare(now: Iterable[Incident], was: Iterable[Incident]) -> list[Change]:
    """Return new, gone and changed incidents, by server, start and label."""
    before: dict[tuple[str, str, str], list[Incident]] = defaultdict(list)
    for incident in was:
        before[incident.server, incident.group, incident.label].append(incident)
    changes = []
    for incident in now:
        candidates = before[incident.server, incident.group, incident.label]
        same = max(candidates, key=lambda other: _shared(incident, other), default=None)
        if same is None or _shared(incident, same) < 0:
            changes.append(Change(NEW, incident, None))
            continue
        candidates.remove(same)
        if same != incident:
            changes.append(Change(CHANGED, incident, same))
    changes += [Change(GONE, None, incident) for left in before.values() for incident in left]
    return sorted(changes, key=_order)


def _shared(one: Incident, other: Incident) -> int:
    """Return the seconds that both cover; 0 if they only touch, below 0 if they are apart."""
    return min(one.end, other.end) - max(one.start, other.start)


def _order(change: Change) -> tuple[bytes, int, str, str]:
    incident = change.incident
    return (incident.server.encode(), incident.start, incident.group, incident.label)
