"""A results folder as a whole: each server with its incidents and the windows to show."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from server_monitoring.model.incidents import Incident, covered_seconds, severity
from server_monitoring.results.manifest import Manifest, read_manifest
from server_monitoring.results.series import Series
from server_monitoring.results.tables import TableReader

# Windows kept in memory, some 30 bytes each; more than any page can show.
MAX_HELD = 4_000_000
# Stretches per server and group to begin with, once there are too many windows to keep all.
FIRST_STRETCHES = 2_048


@dataclass
class Server:
    """One server: its windows and incidents by group."""

    name: str
    series: dict[str, Series] = field(default_factory=dict)
    incidents: list[Incident] = field(default_factory=list)
    alert_seconds: int = 0

    def badness(self) -> tuple[float, int, str]:
        """Return a sort key: servers with the worst incidents first, quiet ones last."""
        worst = max((i.worst.ratio for i in self.incidents), default=float("-inf"))
        return (-worst, -self.alert_seconds, self.name)


@dataclass
class Results:
    """A run's results; the worst servers come first."""

    manifest: Manifest
    servers: list[Server]

    def incidents(self) -> list[Incident]:
        """Return all incidents by server, start, group and label."""
        every = [incident for server in self.servers for incident in server.incidents]
        return sorted(every, key=lambda i: (i.server.encode(), i.start, i.group, i.label))

    def worst_first(self) -> list[Incident]:
        """Return all incidents, the worst first."""
        return sorted(self.incidents(), key=severity)


class Holder:
    """Keeps all series within MAX_HELD windows by reducing all of them alike."""

    def __init__(self, most: int = MAX_HELD) -> None:
        """Keep at most `most` windows (more only if each server is down to its ends)."""
        self._most = most
        self._held: list[tuple[Server, str]] = []
        self._count = 0
        self._stretches: int | None = None

    def add(self, server: Server, group: str, series: Series) -> None:
        """Keep a series with its server."""
        server.series[group] = series
        if self._stretches is not None:
            server.series[group] = series.reduced(self._stretches)
        self._held.append((server, group))
        self._count += len(server.series[group])
        while self._count > self._most and self._stretches != 1:
            self._stretches = self._stretches // 2 if self._stretches else FIRST_STRETCHES
            self._count = 0
            for holder, name in self._held:
                holder.series[name] = holder.series[name].reduced(self._stretches)
                self._count += len(holder.series[name])


def read_results(
    folder: Path, *, keep_series: bool = True, tell: Callable[[str], None] = lambda _: None
) -> Results:
    """Read a results folder: the manifest, and every table that it names.

    Args:
        folder: as a run leaves it behind.
        keep_series: whether to keep the windows, or only the incidents.
        tell: called with a line before each table.

    Raises:
        ResultsError: something is missing, or does not fit together.

    """
    manifest = read_manifest(folder)
    servers: dict[str, Server] = {}
    holder = Holder()
    for group in manifest.groups:
        tell(f"reading {group.windows} windows of {group.file}")
        for name, series, incidents in TableReader(folder, manifest, group).servers():
            server = servers.setdefault(name, Server(name))
            server.incidents += incidents
            if keep_series:
                holder.add(server, group.name, series)
    for server in servers.values():
        server.incidents.sort(key=lambda i: (i.start, i.group, i.label))
        server.alert_seconds = covered_seconds(server.incidents)
    return Results(manifest, sorted(servers.values(), key=Server.badness))
