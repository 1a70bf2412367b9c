"""Data sets of every kind, from the file to the segments."""

import gzip
import json
from pathlib import Path

import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
import zstandard

from tests.kafka.kafka_broker import Pipeline
from tests.kafka.kafka_runs import (
    BY_ONE_CLIENT,
    HEADER,
    by_turns,
    run_through,
    stored,
    topics,
)
from tests.support.app_settings import write_settings

ROWS = [
    ["2024-10-27T02:59:50+02:00", "a", "1.5", "2.5", "", "4.5"],
    ["2024-10-27T02:00:00+01:00", "b,c", "", "", "3.5", ""],
    ["2024-10-27T02:59:40+02:00", "a", "1.0", "2.0", "3.0", "4.0"],
]
TEXT = f"{HEADER}\n" + "".join(
    ",".join(f'"{field}"' if "," in field else field for field in row) + "\n" for row in ROWS
)


def write(path: Path, kind: str) -> None:
    """Write the data set in one of the kinds."""
    path.write_text(TEXT)
    if kind == "gzip":
        path.write_bytes(gzip.compress(TEXT.encode()))
    elif kind == "zstd":
        path.write_bytes(zstandard.ZstdCompressor().compress(TEXT.encode()))
    elif kind == "parquet":
        text = pa_csv.ConvertOptions(column_types={"ts": "string"})
        table = pa_csv.read_csv(path, convert_options=text)
        pq.write_table(table, path)


@by_turns("kind", "plain", "gzip", "zstd", "parquet")
def test_dates_zones_gaps_and_disorder_come_through_from_every_kind_of_file(
    pipeline: Pipeline, tmp_path: Path, kind: str
) -> None:
    """Each topic has the rows that have a value for it, with times as they were written."""
    pipeline.values["start"] = "2024-10-27T00:00:00Z"
    write_settings(pipeline.config, pipeline.values)
    dataset = tmp_path / "dataset.csv"
    write(dataset, kind)
    run_through(pipeline, "r1", dataset)
    summary = json.loads((pipeline.run_directory("r1") / "produce.json").read_text())
    assert summary["missing"] == {"cpu_pct": 1, "mem_pct": 1, "net_in": 1, "disk_io": 1}
    assert set(summary["rows"].values()) == {2}
    for topic, place in topics(pipeline).items():
        wanted = [[row[0], row[1], row[place]] for row in ROWS if row[place]]
        assert sorted(stored(pipeline, "r1", topic)) == sorted(wanted)
        of_a = [row for row in wanted if row[1] == "a"]
        assert [row for row in stored(pipeline, "r1", topic) if row[1] == "a"] == of_a


@BY_ONE_CLIENT
def test_times_of_another_form_than_start_are_refused_before_anything_is_sent(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """The analysis could not place them."""
    (tmp_path / "m.csv").write_text(TEXT)
    done = pipeline.run("produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv"))
    assert done.returncode == 4
    assert "line 2, column ts: found '2024-10-27T02:59:50+02:00'" in done.stderr
    assert "expected a time HH:mm:ss" in done.stderr


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        (["--rate", "100"], 2.0),
        pytest.param(["--realtime"], 3.0, marks=pytest.mark.long),
        pytest.param(["--rate", "0"], 0, marks=pytest.mark.long),
    ],
)
@BY_ONE_CLIENT
def test_rows_are_sent_at_the_pace_that_was_asked_for(
    pipeline: Pipeline, tmp_path: Path, options: list[str], seconds: float
) -> None:
    """201 rows over three seconds of data."""
    times = [f"20:52:0{i // 67}" for i in range(200)] + ["20:52:03"]
    rows = "".join(f"{ts},s{i % 5},1,2,3,4\n" for i, ts in enumerate(times))
    (tmp_path / "m.csv").write_text(f"{HEADER}\n{rows}")
    argv = ["produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv")]
    done = pipeline.run(*argv, *options)
    assert done.returncode == 0, done.stderr
    summary = json.loads((pipeline.run_directory("r1") / "produce.json").read_text())
    assert seconds <= summary["seconds"] < seconds + 20
    assert set(summary["rows"].values()) == {201}
