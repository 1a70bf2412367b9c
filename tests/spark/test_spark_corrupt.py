"""Corrupt raw rows are set aside with file, line and reason, counted, and never counted in."""

import csv
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from server_monitoring.analysis import job, plan
from server_monitoring.errors import AnalysisError
from server_monitoring.store.sidecar import read_sidecar, write_sidecar

from tests.spark.spark_lab import Lab

CPU, MEM = "topic-cpu", "topic-mem"
READINGS = [("00:01:00", "a", "1"), ("00:01:10", "b", "2.5"), ("00:01:20", "c", "3")]


def set_aside(lab: Lab) -> list[list[str]]:
    """Return the entries of corrupt-cpu_mem.csv."""
    path = lab.run.directory / "corrupt-cpu_mem.csv"
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        header, *entries = csv.reader(file)
    assert header == ["file", "line", "reason", "content"]
    return entries


def damage(path: Path, old: bytes, new: bytes) -> None:
    """Replace bytes of a segment, keeping its size."""
    content = path.read_bytes()
    assert content.count(old) == 1
    assert len(old) == len(new)
    path.write_bytes(content.replace(old, new))


def servers(result: job.Result) -> set[str]:
    """Return the server ids in a table."""
    with result.path.open(encoding="utf-8", newline="") as file:
        return {row[0] for row in list(csv.reader(file, strict=True))[1:]}


@pytest.mark.parametrize(
    ("old", "new", "entries"),
    [
        (b"2.5", b"2,5", [("3", "found 4 fields", b"00:01:10,b,2,5")]),
        (b"2.5", b"x.5", [("3", "value: expected a number", b"00:01:10,b,x.5")]),
        (b"2.5", b"NaN", [("3", "value: expected a number", b"00:01:10,b,NaN")]),
        (b"2.5", b"1e5", [("3", "value: expected a number", b"00:01:10,b,1e5")]),
        (b"2.5", b" .5", [("3", "value: expected a number", b"00:01:10,b, .5")]),
        (b",b,", b",\0,", [("3", "server_id: expected", b"00:01:10,\0,2.5")]),
        (b",b,", b",\xff,", [("3", "not UTF-8", b"00:01:10,\xff,2.5")]),
        (b",b,", b",\r,", [("3", "new-line character", b"00:01:10,\r,2.5")]),
        (b"00:01:10", b"00:61:10", [("3", "ts: expected a time HH:mm:ss", b"00:61:10,b,2.5")]),
        (b",b,", b',",', [("3", "", b'00:01:10,",2.5')]),
        (b",b,", b",\n,", [("3", "found 2 fields", b"00:01:10,"), ("4", "found 2", b",2.5")]),
        (b"b,2.5\n", b"b,2.\n\n", [("3", "value:", b"00:01:10,b,2."), ("4", "found 0", b"")]),
    ],
)
def test_a_corrupt_row_is_set_aside_with_file_line_reason_and_content(
    lab: Lab, old: bytes, new: bytes, entries: list[tuple[str, str, bytes]]
) -> None:
    """The size is still the sidecar's, so only reading can find it; the other rows count."""
    lab.store(CPU, READINGS)
    damage(lab.store(MEM, READINGS), old, new)
    result = lab.analyze("cpu_mem")
    assert result.corrupt_rows == {CPU: 0, MEM: len(entries)}
    assert result.lost_rows == {CPU: 0, MEM: 1}
    assert result.rows == {CPU: 3, MEM: 3}
    assert servers(result) == {"a", "c"}
    for found, (line, reason, content) in zip(set_aside(lab), entries, strict=True):
        assert found[:2] == ["topic-mem/0.csv", line]
        assert found[2].startswith(reason)
        assert found[3].encode(errors="surrogateescape") == content


def test_a_torn_block_is_one_line_and_all_its_rows_are_lost(lab: Lab) -> None:
    """Zeros over line ends: what cannot be told apart is counted from the sidecar."""
    lab.store(CPU, READINGS)
    damage(lab.store(MEM, READINGS), b"b,2.5\n00:01:20,c", bytes(16))
    result = lab.analyze("cpu_mem")
    assert (result.corrupt_rows[MEM], result.lost_rows[MEM]) == (1, 2)
    assert servers(result) == {"a"}


@pytest.mark.parametrize("ts", ["20:52:00", "2024-02-30T20:52:00Z", "2024-02-01T20:52:00", "nul"])
def test_a_time_of_another_form_than_start_is_a_corrupt_row(lab: Lab, ts: str) -> None:
    """Also a day that does not exist."""
    lab.values["start"] = "2024-02-01T00:00:00Z"
    lab.store(CPU, [("2024-02-01T20:52:00Z", "a", "1")])
    lab.store(MEM, [(ts, "a", "1")])
    assert lab.analyze("cpu_mem").corrupt_rows == {CPU: 0, MEM: 1}
    assert set_aside(lab)[0][2].startswith("ts: expected a time YYYY-MM-DDTHH:mm:ss with Z")


def test_a_torn_quote_among_ids_with_line_ends_costs_its_own_line(lab: Lab) -> None:
    """Reading goes on at the next line, and rows over several lines are still found."""
    readings = [("00:01:00", id_, "1") for id_ in ("a\nb", "torn", "c\n\nd", "e,f", "plain")]
    lab.store(CPU, readings)
    damage(lab.store(MEM, readings), b"torn", b'"orn')
    result = lab.analyze("cpu_mem")
    assert servers(result) == {"a\nb", "c\n\nd", "e,f", "plain"}
    assert [entry[1] for entry in set_aside(lab)] == ["4"]


def test_a_quoted_id_of_any_length_is_a_row(lab: Lab) -> None:
    """Java's matcher goes back over a repeated choice by recursion, and its stack ends."""
    long = 'long,"id"' * 2_222 + "\n!"
    readings = [("00:01:00", id_, "1") for id_ in (long, "plain")]
    lab.store(CPU, readings)
    lab.store(MEM, readings)
    result = lab.analyze("cpu_mem")
    assert len(long) == 20_000
    assert servers(result) == {long, "plain"}
    assert result.lost_rows == {CPU: 0, MEM: 0}


def test_a_nul_in_a_quoted_id_is_corrupt_and_no_line_end(lab: Lab) -> None:
    """It is what stands for a line end in the copy that Spark reads."""
    readings = [("00:01:00", id_, "1") for id_ in ("a\nb", "c,d")]
    lab.store(CPU, readings)
    damage(lab.store(MEM, readings), b"c,d", b"c\0d")
    assert servers(lab.analyze("cpu_mem")) == {"a\nb"}
    [(_, line, reason, _)] = set_aside(lab)
    assert line == "4"
    assert reason == "server_id: expected a server id in UTF-8, not empty, without NUL"


def test_spark_and_python_agree_on_every_line_of_a_file_damaged_at_random(lab: Lab) -> None:
    """Bytes that matter, at 400 random places; else the analysis refuses what it set aside."""
    rng = random.Random(47)
    ids = ["a", "b,c", 'd"e', "f\ng", "Zürich", "h\r\ni"]
    times = [f"00:{m:02d}:{s:02d}" for m in range(60) for s in range(0, 60, 10)]
    readings = [
        (ts, rng.choice(ids), str(rng.randrange(-900, 900) / 8)) for ts in times for _ in "123456"
    ]
    lab.store(CPU, readings)
    path = lab.store(MEM, readings)
    content = bytearray(path.read_bytes())
    for _ in range(400):
        content[rng.randrange(50, len(content))] = rng.choice(b'",\n\r\0\xff\xc3.-:0a')
    path.write_bytes(content)
    result = lab.analyze("cpu_mem")
    assert len(set_aside(lab)) == result.corrupt_rows[MEM] > 300
    assert 200 < result.lost_rows[MEM] < 600
    assert result.corrupt_rows[CPU] == result.lost_rows[CPU] == 0
    found = re.compile(r"topic-mem/0\.csv")
    assert all(found.fullmatch(entry[0]) and entry[2] for entry in set_aside(lab))


def test_a_clean_analysis_removes_what_an_earlier_one_set_aside(lab: Lab) -> None:
    """After the segment was restored, nothing says that it was corrupt."""
    lab.store(CPU, READINGS)
    path = lab.store(MEM, READINGS)
    damage(path, b"2.5", b"x.5")
    lab.analyze("cpu_mem")
    damage(path, b"x.5", b"2.5")
    assert servers(lab.analyze("cpu_mem")) == {"a", "b", "c"}
    assert sorted(p.name for p in lab.run.directory.iterdir()) == ["raw", "team_47_CPU_MEM.csv"]


def too_few_rows(path: Path) -> None:
    """Have a sidecar say that there is a row less than there is."""
    sidecar = read_sidecar(path)
    sidecar.rows -= 1
    write_sidecar(path, sidecar)


def other_header(path: Path) -> None:
    """Damage the header."""
    damage(path, b"ts,server_id", b"ts;server_id")


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (too_few_rows, "topic-mem: found 3 rows, expected the 2 of the sidecars"),
        (other_header, "0.csv: line 1: found 'ts;server_id,mem_pct"),
    ],
)
def test_a_segment_that_is_not_what_its_sidecar_says_is_refused(
    lab: Lab, break_it: Callable[[Path], None], message: str
) -> None:
    """Nothing is left behind but the raw data."""
    lab.store(CPU, READINGS)
    break_it(lab.store(MEM, READINGS))
    with pytest.raises(AnalysisError) as caught:
        lab.analyze("cpu_mem")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(p.name for p in lab.run.directory.iterdir()) == ["raw"]


def test_files_that_spark_splits_keep_the_order_of_their_offsets(
    lab: Lab, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of duplicates in different splits the first one counts; rows on the edges count once."""
    monkeypatch.setattr(plan, "ROWS_A_PARTITION", 100)
    rng = random.Random(47)
    readings = [(f"00:{m:02d}:00", f"s{s}", "1") for m in range(60) for s in range(9)]
    again = [(ts, server, str(rng.randrange(2, 9))) for ts, server, _ in readings]
    for topic in (CPU, MEM):
        lab.store(topic, readings + again * 3)
    spark.conf.set("spark.sql.files.maxPartitionBytes", "700b")
    try:
        result = lab.analyze("cpu_mem")
    finally:
        spark.conf.unset("spark.sql.files.maxPartitionBytes")
    with result.path.open(encoding="utf-8", newline="") as file:
        values = {tuple(row[3:5]) for row in list(csv.reader(file))[1:]}
    assert values == {("1.00", "1.00")}
    assert result.windows == 9 * (60 * 3 - 2)
    assert result.lost_rows == {CPU: 0, MEM: 0}
