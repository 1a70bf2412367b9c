"""Results folders for tests, with the manifest that `collect` makes."""

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from server_monitoring.results.collect import Facts, manifest
from server_monitoring.results.manifest import write_manifest

from tests.support.app_settings import settings
from tests.support.project import PROJECT

EXPECTED = PROJECT / "tests" / "pipeline" / "expected"
LAB_THRESHOLDS = {"cpu_pct": 56.0, "mem_pct": 91.4, "net_in": 42.3, "disk_io": 16.0}
# The lab's tables: 25,920 windows each, of three servers.
LAB_TABLES = {
    "cpu_mem": EXPECTED / "alibaba2018_days_3-5_CPU_MEM.csv",
    "net_disk": EXPECTED / "alibaba2018_days_3-5_NET_DISK.csv",
}
HIGH, SPIKE, FULL = (
    "High CPU + Memory stress",
    "CPU spike suspected",
    "Memory saturation suspected",
)
TABLES = ("team_47_CPU_MEM.csv", "team_47_NET_DISK.csv")
# All that a folder of results holds with its page.
FILES = ["incidents.csv", "incidents.json", "manifest.json", "report.html", *TABLES]
Rows = Iterable[Iterable[str]]


def config(**changes: Any) -> dict[str, Any]:
    """Return the general settings, with windows from midnight on, and `changes` on top."""
    return {**settings(Path("/data")), "start": "00:00:00", **changes}


def header(group: Mapping[str, Any]) -> list[str]:
    """Return the columns of a group's table."""
    values = [metric["output_column"] for metric in group["metrics"]]
    return ["server_id", "window_start", "window_end", *values, "alert"]


def write_table(path: Path, columns: list[str], rows: Rows) -> None:
    """Write an alert table as the analysis does."""
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows([columns, *rows])


def write_run(
    folder: Path, tables: Mapping[str, Rows], values: Mapping[str, Any] | None = None
) -> Path:
    """Write a results folder; groups without rows in `tables` get an empty table."""
    values = values or config()
    folder.mkdir(parents=True, exist_ok=True)
    for name, group in values["groups"].items():
        path = folder / group["output_file"]
        write_table(path, header(group), tables.get(name, ()))
    return describe(folder, values)


def describe(folder: Path, values: Mapping[str, Any]) -> Path:
    """Write the manifest of the tables that stand in a folder."""
    analyzed, sums = [], {}
    for name, group in values["groups"].items():
        path = folder / group["output_file"]
        with path.open(encoding="utf-8", newline="") as lines:
            counts = Counter(row[-1] for row in csv.reader(lines))
        del counts["alert"]
        alerts = {label: counts[label] for label in group["labels"].values()}
        windows = sum(counts.values())
        versions = {"spark_version": "4.3.0", "java_version": "17"}
        whole: dict[str, dict[str, int]] = {"corrupt_rows": {}, "lost_rows": {}}
        analyzed.append({"group": name, "windows": windows, "alerts": alerts, **versions, **whole})
        sums[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    write_manifest(folder, manifest(_facts(folder.name, values, analyzed), sums, 110.0))
    return folder


def _facts(run_id: str, values: Mapping[str, Any], analyzed: list[dict[str, Any]]) -> Facts:
    topics = {m["topic"]: 5 for group in values["groups"].values() for m in group["metrics"]}
    rates = dict.fromkeys(topics, 10.0)
    produced = {
        "app_version": "0.1.0",
        "client": "kafka-python 3",
        "dataset": {"name": "dataset.csv", "rows": 5, "sha256": "ab", "bytes": 9},
        "bad_rows": 0,
        "rows": topics,
        "messages_per_second": rates,
    }
    left_out = {"foreign": 0, "malformed": 0, "duplicates": 0}
    overlay = {"name": "zerotier", "version": "1.14.1", "package_version": "1", "is_double": True}
    return Facts(
        config=dict(values),
        run={"id": run_id, "started": "2026-01-01T00:00:00Z", "dataset": "/data/metrics.csv"},
        produced=produced,
        consumed=[{"rows": topics, "messages_per_second": rates, **left_out}],
        analyzed=analyzed,
        marks={"gate": 100.0, "produce": 101.5},
        cluster={"kafka_version": "4.3.1", "overlay": overlay},
    )


def lab_run(folder: Path) -> Path:
    """Write the results folder of the lab's data set."""
    values = config(thresholds=LAB_THRESHOLDS)
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in LAB_TABLES.items():
        (folder / values["groups"][name]["output_file"]).write_bytes(source.read_bytes())
    return describe(folder, values)


def clock(second: int) -> str:
    """Return a second of the day as HH:mm:ss, beginning again at midnight."""
    return f"{second // 3600 % 24:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def window(server: str, start: int, cpu: float, mem: float, alert: str = "") -> list[str]:
    """Return a row of the table cpu_mem."""
    return [server, clock(start), clock(start + 30), f"{cpu:.2f}", f"{mem:.2f}", alert]


def wide_run(folder: Path, servers: int, windows: int) -> Path:
    """Write a run of many servers with incidents of every kind; values as averages and maxima."""
    values = config()
    folder.mkdir(parents=True, exist_ok=True)
    for place, group in enumerate(values["groups"].values()):
        limits = [values["thresholds"][metric["column"]] for metric in group["metrics"]]
        with (folder / group["output_file"]).open("w", encoding="utf-8") as out:
            out.write(",".join(header(group)) + "\n")
            for server in range(servers):
                out.writelines(_wide_rows(server, windows, limits, group, rounded=place == 0))
    return describe(folder, values)


def _wide_rows(
    server: int, windows: int, limits: list[float], group: Mapping[str, Any], *, rounded: bool
) -> Iterable[str]:
    kinds = [group["labels"][kind] for kind in ("both", "first", "second")]
    state = server * 2_654_435_761 % 2**32
    for number in range(windows):
        state = (state * 1_664_525 + 1_013_904_223) % 2**32
        noise = state / 2**32
        incident = (number // 40 + server * 7) % 97
        high = [incident in {0, 1}, incident in {0, 2}]
        parts = [
            limit * ((1.02 + 0.3 * noise * (server % 3)) if up else (0.35 + 0.5 * noise))
            for limit, up in zip(limits, high, strict=True)
        ]
        texts = [f"{value:.2f}" if rounded else repr(value) for value in parts]
        label = kinds[incident] if incident < len(kinds) else ""
        start = number * 10
        times = f"{clock(start)},{clock(start + 30)}"
        yield f"server-{server:05d},{times},{texts[0]},{texts[1]},{label}\n"
