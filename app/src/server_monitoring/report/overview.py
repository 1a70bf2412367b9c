"""The data that a page opens with: facts, groups, servers, incidents. Pure."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from server_monitoring.model import timestamps
from server_monitoring.model.incidents import BOUNDS, Incident, severity
from server_monitoring.report.export import change_row
from server_monitoring.report.payload import DIGITS, INCIDENTS_SIZE, Blocks, list_incidents
from server_monitoring.report.strip import Strip
from server_monitoring.results.changes import Change, differences
from server_monitoring.results.folder import Results
from server_monitoring.results.manifest import Manifest

# Changes that the page lists; `alerts --against` lists all of them.
MAX_CHANGES = 2_000


def overview(
    results: Results, blocks: Blocks, against: tuple[Manifest, list[Change]] | None
) -> dict[str, Any]:
    """Return the overview as the page's script reads it (see assets/main.js)."""
    manifest, incidents = results.manifest, results.worst_first()
    first, last = extent(results)
    strip = Strip(first, last)
    listed = list_incidents(results, incidents, INCIDENTS_SIZE)
    return {
        "run": manifest.run_id,
        "facts": manifest.facts,
        "time": _time(manifest, first, last),
        "window": manifest.window_seconds,
        "slide": manifest.slide_seconds,
        "groups": _groups(manifest, incidents),
        "servers": _servers(results, strip),
        "all": [strip.counts(_of(incidents, group.name)) for group in manifest.groups],
        "incidents": listed.columns,
        "listed": listed.shown,
        "total": listed.total,
        "blocks": {"servers": len(blocks.texts), "whole": blocks.whole, "digits": DIGITS},
        "levels": BOUNDS,
        "against": _against(manifest, *against) if against else None,
    }


def extent(results: Results) -> tuple[int, int]:
    """Return the first start and the last end of all windows; without any, `times_like` twice."""
    start = results.manifest.time_form().to_seconds(results.manifest.times_like)
    held = [series.starts for s in results.servers for series in s.series.values() if series.starts]
    if not held:
        return start, start
    last = max(starts[-1] for starts in held) + results.manifest.window_seconds
    return min(starts[0] for starts in held), last


def _time(manifest: Manifest, first: int, last: int) -> dict[str, Any]:
    is_clock = manifest.time_form() is timestamps.CLOCK
    zone = "" if is_clock else timestamps.zone_of(manifest.times_like)
    return {
        "clock": is_clock,
        "zone": zone,
        "offset": timestamps.offset_of(zone) if zone else 0,
        "first": first,
        "last": last,
    }


def _of(incidents: Iterable[Incident], group: str) -> list[Incident]:
    return [incident for incident in incidents if incident.group == group]


def _groups(manifest: Manifest, incidents: list[Incident]) -> list[dict[str, Any]]:
    counts = Counter((incident.group, incident.label) for incident in incidents)
    return [
        {
            "name": group.name,
            "file": group.file,
            "windows": group.windows,
            "labels": [
                {"text": label, "windows": windows, "incidents": counts[group.name, label]}
                for label, windows in group.alerts.items()
            ],
            "metrics": [
                {"name": m.output_column, "column": m.column, "threshold": float(m.threshold)}
                for m in group.metrics
            ],
        }
        for group in manifest.groups
    ]


def _servers(results: Results, strip: Strip) -> dict[str, list[Any]]:
    groups = results.manifest.groups
    return {
        "id": [server.name for server in results.servers],
        "seconds": [server.alert_seconds for server in results.servers],
        "incidents": [len(server.incidents) for server in results.servers],
        "strip": [
            [strip.levels(_of(server.incidents, group.name)) for group in groups]
            for server in results.servers
        ],
        "worst": [_worst(server.incidents) for server in results.servers],
    }


def _worst(incidents: list[Incident]) -> list[Any] | None:
    if not incidents:
        return None
    worst = min(incidents, key=severity)
    peak = worst.worst
    return [worst.label, worst.start, worst.end, peak.column, peak.value, peak.at, peak.percent]


def _against(manifest: Manifest, other: Manifest, changes: list[Change]) -> dict[str, Any]:
    return {
        "run": other.run_id,
        "notes": differences(manifest, other),
        "kinds": Counter(change.kind for change in changes),
        "rows": [change_row(change, manifest) for change in changes[:MAX_CHANGES]],
        "listed": min(len(changes), MAX_CHANGES),
    }
