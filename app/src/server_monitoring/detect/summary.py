"""What a detector says of itself: its status line, and a file for those who ask."""

from collections.abc import Mapping
from pathlib import Path

from server_monitoring import __version__
from server_monitoring.detect.engine import Engine
from server_monitoring.detect.server import Server
from server_monitoring.errors import counted
from server_monitoring.host.summary import utc_now
from server_monitoring.model.groups import Group
from server_monitoring.model.live import FIRING, utc_text

# Of each reason, the servers that it names.
MOST_NAMED = 1_000


def summary_path(data_dir: Path, group: Group) -> Path:
    """Return the file of a group's detector on this host."""
    return data_dir / "live" / f"detect-{group.name}.json"


def status_line(engine: Engine, group: Group, behind: float) -> str:
    """Return the status: servers, alerts that fire, rows not taken; and the server with most."""
    firing = sum(a.state == FIRING for s in engine.servers.values() for a in s.alerts.values())
    line = f"{group.name}: {counted(len(engine.servers), 'server')}, {firing} alerts firing"
    if behind >= 1:
        line += f", {behind:.0f} s behind"
    refused = {reason: number for reason, number in engine.counted().items() if number}
    if refused:
        line += "; not counted: " + ", ".join(f"{n} {reason}" for reason, n in refused.items())
        most = max(engine.servers.values(), key=_refused, default=None)
        if most is not None and _refused(most):
            line += f" (most of them of {most.server_id})"
    return line


def summary(engine: Engine, group: Group, partitions: Mapping[str, list[int]]) -> dict[str, object]:
    """Return the content of the file: bounded, as the servers are."""
    named = sorted(engine.servers.values(), key=_refused, reverse=True)[:MOST_NAMED]
    return {
        "group": group.name,
        "updated": utc_now(),
        "partitions": partitions,
        "servers": {s.server_id: _last(s) for s in engine.servers.values()},
        "firing": [
            {"server_id": s.server_id, "alert": a.label, "since": utc_text(a.since)}
            for s in engine.servers.values()
            for a in s.alerts.values()
            if a.state == FIRING
        ],
        "not_counted": dict(engine.counted()),
        "not_counted_of": {s.server_id: dict(s.counts) for s in named if s.counts},
        "app_version": __version__,
    }


def _refused(server: Server) -> int:
    return sum(server.counts.values())


def _last(server: Server) -> str | None:
    newest = server.progress().newest
    return None if newest is None else utc_text(newest)
