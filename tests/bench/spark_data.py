"""Raw data of any size for the Spark jobs, as the consumers would have stored it."""

import csv
import shutil
from collections.abc import Iterable
from pathlib import Path

from server_monitoring.host.runs import Run
from server_monitoring.model.groups import Metric
from server_monitoring.model.timestamps import SECONDS_PER_DAY, time_text
from server_monitoring.model.values import canonical_double
from server_monitoring.model.wire import partition_for
from server_monitoring.settings.config import Config, load
from server_monitoring.store.segment import header_line
from server_monitoring.store.sidecar import Sidecar, write_sidecar

from tests.support.app_settings import settings, write_settings
from tests.support.project import PROJECT

SHIPPED = PROJECT / "files" / "datasets" / "alibaba2018_days_3-5.csv"
THRESHOLDS = {"cpu_pct": 56.0, "mem_pct": 91.4, "net_in": 42.3, "disk_io": 16.0}
RUN_ID = "bench"
PARTITIONS = 3
INTERVAL = 10
ROWS_A_SERVER = SECONDS_PER_DAY // INTERVAL
# Apart from each other, and from any multiple of a day: no two servers have the same values.
_SHIFT = 7_919
WIDE_FACTOR = 1e12


def servers_for(rows: int) -> int:
    """Return how many servers give that many rows a metric, one row each 10 s of a day.

    Raises:
        ValueError: no number of servers does.

    """
    servers, rest = divmod(rows, ROWS_A_SERVER)
    if rest or not servers:
        message = f"found {rows} rows, expected a multiple of {ROWS_A_SERVER}"
        raise ValueError(message)
    return servers


def write_run(directory: Path, rows: int, factor: float = 1) -> Path:
    """Write a run with `rows` rows a metric into an empty folder; return its configuration.

    Values are those of the shipped data set, with all their digits, each server beginning at
    another of its rows, times `factor`: most are wide at WIDE_FACTOR. Memory: one time's rows.
    """
    values = settings(directory / "data") | {"start": "00:00:00", "thresholds": dict(THRESHOLDS)}
    directory.mkdir(parents=True, exist_ok=True)
    path = write_settings(directory / "config.yml", values)
    config = load(path)
    with SHIPPED.open(encoding="utf-8", newline="") as file:
        shipped = list(csv.DictReader(file))
    for metric in config.metrics():
        numbers = [float(row[metric.column]) * factor for row in shipped]
        texts = [f",{canonical_double(number)}\n" for number in numbers]
        _write_topic(run_of(config), metric, texts, servers_for(rows))
    return path


def run_of(config: Config) -> Run:
    """Return the run that `write_run` makes."""
    return Run(config.data_dir, RUN_ID)


def _write_topic(run: Run, metric: Metric, texts: list[str], servers: int) -> None:
    names = [f"server-{number:05d}" for number in range(servers)]
    for partition in range(PARTITIONS):
        own = [n for n, name in enumerate(names) if partition_for(name, PARTITIONS) == partition]
        shifts = [(names[n], n * _SHIFT % len(texts)) for n in own]
        path = run.segment(metric.topic, partition)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as out:
            out.write(header_line(metric.column))
            for place in range(ROWS_A_SERVER):
                ts = time_text(place * INTERVAL, "00:00:00") + ","
                out.write(
                    "".join([ts + name + texts[(place + at) % len(texts)] for name, at in shifts])
                )
        rows = len(own) * ROWS_A_SERVER
        sidecar = Sidecar(RUN_ID, metric.topic, "bench", partition, rows, path.stat().st_size, rows)
        write_sidecar(path, sidecar)


def write_joined(segments: Iterable[Path], path: Path) -> None:
    """Write a topic's segments as one CSV file with one header."""
    with path.open("wb") as out:
        for number, segment in enumerate(segments):
            with segment.open("rb") as file:
                header = file.readline()
                if number == 0:
                    out.write(header)
                shutil.copyfileobj(file, out, 1 << 20)
