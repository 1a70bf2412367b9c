"""A run's data as the page has it, limited in size whatever the size of the run. Pure.

Two parts: an overview (facts, servers, incidents), and a small packed block for each server, which
the page unpacks when that server is shown. Each block is JSON, deflated, in base64.
"""

import base64
import json
import zlib
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from server_monitoring.model.incidents import Incident
from server_monitoring.results.folder import Results, Server
from server_monitoring.results.series import Series

# Bytes that all servers' blocks, and the incidents, may take in the page.
SERVERS_SIZE = 3_400_000
INCIDENTS_SIZE = 900_000
# Numbers of stretches to try, the highest first; None: all windows, exactly.
STRETCHES = (None, *(int(2048 / 1.15**power) for power in range(39)))
# Significant digits of a value if not all windows are shown.
DIGITS = 5
SAMPLE = 12
_COMPRESSION = 9
# Whole numbers from here on are shorter with an exponent.
_MOST_DIGITS = 10**16


class Blocks(NamedTuple):
    """The servers' blocks.

    Attributes:
        texts: one for each of the first servers; for the others there was no room.
        whole: whether every window is in them, with its exact values.

    """

    texts: list[str]
    whole: bool


def pack(value: object) -> str:
    """Return a value as JSON, deflated (zlib), in base64."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return base64.b64encode(zlib.compress(text.encode(), _COMPRESSION)).decode()


def pack_servers(results: Results, size: int = SERVERS_SIZE) -> Blocks:
    """Return the servers' blocks in at most `size` bytes, with as many windows as fit.

    If even a few windows of all servers do not fit, those of the first (worst) servers are kept.
    """
    servers = results.servers
    sample = servers[:: max(len(servers) // SAMPLE, 1)]
    texts: list[str] = []
    for stretches in STRETCHES:
        guess = _total(server_block(results, s, stretches) for s in sample)
        if guess * len(servers) > size * len(sample):
            continue
        texts = [server_block(results, server, stretches) for server in servers]
        if _total(texts) <= size:
            whole = stretches is None and all(
                series.whole for server in servers for series in server.series.values()
            )
            return Blocks(texts, whole)
    fewest = STRETCHES[-1]
    kept, left = [], size
    for server in servers:
        block = server_block(results, server, fewest)
        left -= len(block)
        if left < 0:
            break
        kept.append(block)
    return Blocks(kept, whole=False)


def _total(texts: Iterable[str]) -> int:
    return sum(map(len, texts))


def server_block(results: Results, server: Server, stretches: int | None) -> str:
    """Return a server's block: its windows, gaps and incidents in each group.

    An incident is [label, start, end, [metrics that were above]], labels and metrics by place.
    """
    groups = []
    for group in results.manifest.groups:
        series = server.series.get(group.name) or Series.empty(len(group.metrics))
        labels = list(group.alerts)
        places = {metric.output_column: place for place, metric in enumerate(group.metrics)}
        spans = [
            [labels.index(i.label), i.start, i.end, [places[peak.column] for peak in i.peaks]]
            for i in server.incidents
            if i.group == group.name
        ]
        groups.append({**series_block(series, stretches), "spans": spans})
    return pack(groups)


def series_block(series: Series, stretches: int | None) -> dict[str, Any]:
    """Return windows as columns: starts as differences, values, labels, gaps.

    Values are exact if all windows are there and wanted; otherwise they have DIGITS digits.
    """
    exact = stretches is None and series.whole
    shown = series if stretches is None else series.reduced(stretches)
    starts = shown.starts
    steps = [after - before for before, after in pairwise(starts)]
    return {
        "first": starts[0] if starts else 0,
        "steps": steps,
        "values": [[v if exact else _short(v) for v in column] for column in shown.values],
        "labels": list(shown.labels),
        "gaps": series.gaps,
    }


def _short(value: float) -> float | int:
    rounded = float(f"{value:.{DIGITS}g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < _MOST_DIGITS else rounded


class Listed(NamedTuple):
    """The incidents in the page: the worst, as many as fit, and how many there are in all."""

    columns: dict[str, list[Any]]
    shown: int
    total: int


def list_incidents(results: Results, incidents: Sequence[Incident], size: int) -> Listed:
    """Return the incidents, which come worst first, as columns of at most `size` packed bytes.

    Servers, groups and labels are given by their places in the overview.
    """
    servers = {server.name: place for place, server in enumerate(results.servers)}
    groups = {g.name: (place, list(g.alerts)) for place, g in enumerate(results.manifest.groups)}
    count = len(incidents)
    while True:
        columns = incident_columns(incidents[:count], servers, groups)
        packed = len(pack(columns))
        if packed <= size:
            return Listed(columns, count, len(incidents))
        count = int(count * min(size / packed * 0.95, 0.9))


def incident_columns(
    incidents: Sequence[Incident],
    servers: dict[str, int],
    groups: dict[str, tuple[int, list[str]]],
) -> dict[str, list[Any]]:
    """Return incidents as columns; a server that is not in `servers` is given by its name."""
    return {
        "server": [servers.get(i.server, i.server) for i in incidents],
        "group": [groups[i.group][0] for i in incidents],
        "label": [groups[i.group][1].index(i.label) for i in incidents],
        "start": [i.start for i in incidents],
        "end": [i.end for i in incidents],
        "windows": [i.windows for i in incidents],
        "metric": [i.worst.column for i in incidents],
        "peak": [i.worst.value for i in incidents],
        "at": [i.worst.at for i in incidents],
        "percent": [i.worst.percent for i in incidents],
    }
