"""The alert tables of the lab's data set, row by row against exact arithmetic."""

import csv
import hashlib
from pathlib import Path

import pytest

from tests.spark.spark_lab import Lab, store_dataset
from tests.support.project import PROJECT
from tests.support.reference_tables import tables

DATASET = PROJECT / "files" / "datasets" / "alibaba2018_days_3-5.csv"
EXPECTED = PROJECT / "tests" / "pipeline" / "expected"
THRESHOLDS = {"cpu_pct": 56.0, "mem_pct": 91.4, "net_in": 42.3, "disk_io": 16.0}
ROWS = 25_920


def read(path: Path) -> list[list[str]]:
    """Return a table with its header."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))


@pytest.fixture
def real_lab(lab: Lab) -> Lab:
    """Return a run that holds the lab's data set in 3 partitions."""
    lab.values["thresholds"] = dict(THRESHOLDS)
    store_dataset(lab, DATASET, 3)
    return lab


def test_both_tables_equal_exact_arithmetic_on_every_row(real_lab: Lab) -> None:
    """And the reference implementation's files, but for 0.01 in three averages."""
    exact = dict(zip(("cpu_mem", "net_disk"), tables(DATASET, THRESHOLDS, "00:00:00"), strict=True))
    for group, name in (("cpu_mem", "CPU_MEM"), ("net_disk", "NET_DISK")):
        result = real_lab.analyze(group)
        table = read(result.path)
        assert len(table) == ROWS + 1 == result.windows + 1
        assert table[1:] == exact[group]
        reference = read(EXPECTED / f"alibaba2018_days_3-5_{name}.csv")
        assert table[0] == reference[0]
        differing = [(a, b) for a, b in zip(table, reference, strict=True) if a != b]
        assert len(differing) == {"cpu_mem": 3, "net_disk": 0}[group]
        for ours, theirs in differing:
            assert (ours[:3], ours[5]) == (theirs[:3], theirs[5])
            assert all(
                abs(float(a) - float(b)) < 0.0101
                for a, b in zip(ours[3:5], theirs[3:5], strict=True)
            )
        counts = {label: sum(row[5] == label for row in table[1:]) for label in result.alerts}
        assert counts == result.alerts
        assert sum(counts.values()) > 0
        assert result.sha256 == hashlib.sha256(result.path.read_bytes()).hexdigest()
        assert set(result.rows.values()) == {ROWS}


def test_a_later_start_and_other_thresholds_change_the_tables_as_they_should(
    real_lab: Lab,
) -> None:
    """The general defaults' start, and thresholds that put a label on most rows."""
    thresholds = {"cpu_pct": 30, "mem_pct": 88.25, "net_in": 37.5, "disk_io": 4.61}
    real_lab.values |= {"thresholds": thresholds, "start": "20:52:00"}
    exact = tables(DATASET, thresholds, "20:52:00")
    for group, rows in zip(("cpu_mem", "net_disk"), exact, strict=True):
        assert read(real_lab.analyze(group).path)[1:] == rows
        assert rows[0][1] == "20:52:00"
