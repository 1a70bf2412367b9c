"""What the end-to-end tests share: the lab's data, and how results are read."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.playbooks import Result
from tests.support.project import PROJECT

DATASET = PROJECT / "files" / "datasets" / "alibaba2018_days_3-5.csv"
THRESHOLDS = {"cpu_pct": "56.0", "mem_pct": "91.4", "net_in": "42.3", "disk_io": "16.0"}
RESULTS = PROJECT / "results"
RUNS = "/var/lib/server-monitoring/runs"
CPU_MEM, NET_DISK = "team_47_CPU_MEM.csv", "team_47_NET_DISK.csv"

Run = Callable[..., tuple[Result, Path]]
Name = Callable[[str], str]


def read_table(path: Path) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of an alert table."""
    with path.open(encoding="utf-8", newline="") as lines:
        header, *rows = csv.reader(lines)
    return header, rows


def manifest(run: Path) -> dict[str, Any]:
    """Return the manifest of a run's results."""
    facts: dict[str, Any] = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    return facts
