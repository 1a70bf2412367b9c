"""Windows, joins, rounding, labels and the text of the table, on small data."""

import csv
import random
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark program uses
from server_monitoring.analysis.times import time_second
from server_monitoring.errors import AnalysisError
from server_monitoring.model.timestamps import form_of

from tests.spark.spark_lab import Lab, store_dataset
from tests.support.app_settings import metric_group
from tests.support.reference_tables import tables

CPU, MEM, NET, DISK = "topic-cpu", "topic-mem", "topic-net", "topic-disk"


def rows(path: Path) -> list[list[str]]:
    """Return a table's rows without its header."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))[1:]


def test_join_windows_counts_windows_and_join_rows_counts_rows(lab: Lab) -> None:
    """The metrics' rows are 10 s apart: they share two windows, but no row."""
    for topic in (CPU, NET):
        lab.store(topic, [("00:01:00", "a", "1")])
    for topic in (MEM, DISK):
        lab.store(topic, [("00:01:10", "a", "2")])
    assert rows(lab.analyze("cpu_mem").path) == [
        ["a", "00:00:50", "00:01:20", "1.00", "2.00", ""],
        ["a", "00:01:00", "00:01:30", "1.00", "2.00", ""],
    ]
    assert lab.analyze("net_disk").windows == 0
    assert (lab.run.directory / "team_47_NET_DISK.csv").read_text() == (
        "server_id,window_start,window_end,max_net_in,max_disk_io,alert\n"
    )
    lab.values["groups"]["net_disk"]["join"] = "windows"
    assert lab.analyze("net_disk").windows == 2


def test_join_rows_leaves_out_a_value_whose_partner_is_missing(lab: Lab) -> None:
    """The largest value has no partner at its second, so it is not the maximum."""
    lab.store(NET, [("00:01:00", "a", "1"), ("00:01:05", "a", "9")])
    lab.store(DISK, [("00:01:00", "a", "2")])
    assert {row[3] for row in rows(lab.analyze("net_disk").path)} == {"1.0"}


def test_of_duplicate_rows_the_first_of_each_metric_counts(lab: Lab) -> None:
    """For each metric on its own, whatever the order of values."""
    lab.store(CPU, [("00:01:00", "a", "5"), ("00:01:00", "a", "1"), ("00:01:00", "a", "9")])
    lab.store(MEM, [("00:01:00", "a", "1"), ("00:01:00", "a", "7")])
    assert {(row[3], row[4]) for row in rows(lab.analyze("cpu_mem").path)} == {("5.00", "1.00")}


def test_windows_end_at_midnight_and_do_not_begin_before_it(lab: Lab) -> None:
    """The first row of the day is in one window only; the last one's end past midnight."""
    for topic in (CPU, MEM):
        lab.store(topic, [("00:00:00", "a", "1"), ("23:59:59", "a", "2")])
    assert [row[1:3] for row in rows(lab.analyze("cpu_mem").path)] == [
        ["00:00:00", "00:00:30"],
        ["23:59:30", "00:00:00"],
        ["23:59:40", "00:00:10"],
        ["23:59:50", "00:00:20"],
    ]


@pytest.mark.parametrize(
    ("start", "first", "left_out"),
    [("00:00:50", "00:00:50", 3), ("00:00:41", "00:00:50", 3), ("00:00:20", "00:00:20", 0)],
)
def test_start_applies_to_the_beginning_of_a_window_and_what_it_leaves_out_is_counted(
    lab: Lab, start: str, first: str, left_out: int
) -> None:
    """Rows before the first window, by topic, and windows in which both metrics have a value."""
    for topic in (CPU, MEM):
        lab.store(topic, [("00:01:00", "a", "1"), ("00:00:45", "a", "3")])
    lab.values["start"] = start
    result = lab.analyze("cpu_mem")
    table = rows(result.path)
    assert table[0][1] == first
    assert all(row[1] >= start for row in table)
    assert result.windows_before_start == left_out
    assert result.rows_before_start == dict.fromkeys((CPU, MEM), 1 if left_out else 0)
    assert result.windows + left_out == len(table) + left_out == 5


def test_a_run_whose_rows_all_lie_before_start_fails_and_says_when_they_are(lab: Lab) -> None:
    """And leaves no table; one of several hosts may have such rows alone, without an error."""
    for topic in (CPU, MEM):
        lab.store(topic, [("00:01:00", "a", "1"), ("00:00:45", "a", "3")])
    lab.values["start"] = "00:01:01"
    with pytest.raises(AnalysisError) as caught:
        lab.analyze("cpu_mem")
    assert str(caught.value) == (
        "group cpu_mem: all 4 rows lie before the setting start, 00:01:01: found times from "
        '00:00:45 to 00:01:00; set an earlier start, or "" for all windows'
    )
    assert [path.name for path in lab.run.directory.iterdir()] == ["raw"]
    lab.values["consumers"]["cpu_mem"]["hosts"] = 2
    result = lab.analyze("cpu_mem")
    assert (result.windows, result.windows_before_start) == (0, 5)
    assert result.rows_before_start == result.rows == {CPU: 2, MEM: 2}


@pytest.mark.parametrize(
    ("times", "like", "windows"),
    [
        (
            ["2024-05-01T00:00:05+02:00", "2024-04-30T22:00:09Z", "2024-04-30T17:00:05-05:00"],
            "1970-01-01T00:00:00Z",
            [("2024-04-30T21:59:40Z", "2.00"), ("2024-04-30T21:59:50Z", "2.00"),
             ("2024-04-30T22:00:00Z", "2.00")],
        ),
        (["00:00:05", "00:00:09", "00:00:05"], "00:00:00", [("00:00:00", "2.00")]),
    ],
)  # fmt: skip
def test_without_a_start_all_windows_come_in_the_form_of_the_data(
    lab: Lab, times: list[str], like: str, windows: list[tuple[str, str]]
) -> None:
    """Dates in UTC, whatever zones the rows have: a repeated row is one of the same moment."""
    lab.values["start"] = ""
    for topic in (CPU, MEM):
        lab.store(topic, [(ts, "a", value) for ts, value in zip(times, "139", strict=True)])
    result = lab.analyze("cpu_mem")
    assert [(row[1], row[3]) for row in rows(result.path)] == windows
    assert result.like == like
    assert result.repeated_rows == {CPU: 1, MEM: 1}
    assert result.windows_before_start == 0


def test_rows_and_windows_that_the_joins_leave_out_are_counted(lab: Lab) -> None:
    """Nothing is missing without a number."""
    lab.values["window_seconds"] = 10
    readings = [(f"00:00:{s:02d}", "a", "1") for s in range(0, 50, 10)]
    for topic in (CPU, NET):
        lab.store(topic, [*readings, *readings[:2], readings[0]])
    for topic in (MEM, DISK):
        lab.store(topic, [*readings[3:], ("00:00:59", "b", "1")])
    averages, maxima = lab.analyze("cpu_mem"), lab.analyze("net_disk")
    assert averages.repeated_rows == {CPU: 3, MEM: 0}
    assert maxima.repeated_rows == {NET: 3, DISK: 0}
    assert (averages.windows, averages.windows_of_one_metric) == (2, 4)
    assert (maxima.windows, maxima.windows_of_one_metric) == (2, 0)
    assert averages.rows_alone == {CPU: 0, MEM: 0}
    assert maxima.rows_alone == {NET: 3, DISK: 1}


DAY = "2024-05-01T"


def test_iso_times_give_the_table_of_clock_times_in_the_zone_of_start(
    lab: Lab, tmp_path: Path
) -> None:
    """Rows may be written in several zones; the table is written in one."""
    rng = random.Random(47)
    header = ["ts", "server_id", "cpu_pct", "mem_pct", "net_in", "disk_io"]
    clock, iso = tmp_path / "clock.csv", tmp_path / "iso.csv"
    with clock.open("w", newline="") as one, iso.open("w", newline="") as other:
        plain, dated = csv.writer(one), csv.writer(other)
        plain.writerow(header)
        dated.writerow(header)
        for _ in range(1_000):
            second = 12 * 3600 + rng.randrange(900)
            values = [str(rng.randrange(100)) for _ in "1234"]
            row = [f"server {rng.randrange(9)}", *values]
            plain.writerow([at(second), *row])
            zone, ahead = rng.choice([("Z", 0), ("+02:00", 7200), ("-05:30", -19_800)])
            dated.writerow([DAY + at(second - 7200 + ahead) + zone, *row])
    thresholds = {"cpu_pct": 40, "mem_pct": 50.5, "net_in": 90, "disk_io": 95}
    lab.values |= {"start": DAY + "12:05:00+02:00", "thresholds": thresholds}
    store_dataset(lab, iso, 3)
    exact = tables(clock, thresholds, "12:05:00")
    for group, table in zip(("cpu_mem", "net_disk"), exact, strict=True):
        wanted = [[r[0], *(f"{DAY}{ts}+02:00" for ts in r[1:3]), *r[3:]] for r in table]
        assert rows(lab.analyze(group).path) == wanted
        assert len(wanted) > 100


def at(second: int) -> str:
    """Return HH:mm:ss."""
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def test_iso_windows_go_on_past_midnight_and_over_a_change_of_clocks(lab: Lab) -> None:
    """There is no end of a day; the zone stays that of start."""
    lab.values["start"] = "2024-10-26T00:00:00Z"
    times = ["2024-10-26T23:59:55Z", "2024-10-27T02:59:59+02:00", "2024-10-27T02:00:00+01:00"]
    for topic in (CPU, MEM):
        lab.store(topic, [(ts, "a", "1") for ts in times])
    assert [row[1:3] for row in rows(lab.analyze("cpu_mem").path)] == [
        ["2024-10-26T23:59:30Z", "2024-10-27T00:00:00Z"],
        ["2024-10-26T23:59:40Z", "2024-10-27T00:00:10Z"],
        ["2024-10-26T23:59:50Z", "2024-10-27T00:00:20Z"],
        ["2024-10-27T00:59:30Z", "2024-10-27T01:00:00Z"],
        ["2024-10-27T00:59:40Z", "2024-10-27T01:00:10Z"],
        ["2024-10-27T00:59:50Z", "2024-10-27T01:00:20Z"],
        ["2024-10-27T01:00:00Z", "2024-10-27T01:00:30Z"],
    ]


@pytest.mark.parametrize("start", ["00:00:00", "1970-01-01T00:00:00Z"])
def test_every_text_has_the_same_second_in_spark_and_in_python(
    spark: SparkSession, start: str
) -> None:
    """For texts of both forms, and for what is nearly one."""
    rng = random.Random(47)
    texts = ["12:00:00\n", "\n12:00:00", "24:00:00", "", "2024-05-01T20:52:00Z\n"]
    for _ in range(3_000):
        date = f"{rng.choice([1970, 1999, 2024, 2999, 1969, 3000])}-{rng.randrange(14):02d}"
        date += f"-{rng.randrange(33):02d}"
        clock = at(rng.randrange(90_000))
        zone = rng.choice(["Z", "", f"{rng.choice('+-')}{at(rng.randrange(100_000))[:5]}"])
        texts.append(rng.choice([clock, f"{date}T{clock}{zone}"]))
    frame = spark.createDataFrame([(text,) for text in texts], "text string")
    form = form_of(start)
    assert form is not None
    found = 0
    text = F.col("text")
    second = F.when(text.rlike(rf"\A(?:{form.pattern})\z"), time_second(text, form))
    for row in frame.select("text", second.alias("second")).collect():
        matches = form.matches(row["text"])
        assert row["second"] == (form.to_seconds(row["text"]) if matches else None), row
        found += matches
    assert found > 300


def test_labels_need_a_value_strictly_above_its_threshold(lab: Lab) -> None:
    """At the threshold is not above it; the rounded average is what is compared."""
    lab.values |= {"window_seconds": 10}
    cases = {
        "equal": ("82.1", "80.02", ""),
        "rounds down to equal": ("82.104", "80.02", ""),
        "rounds up": ("82.105", "80.02", "CPU spike suspected"),
        "second": ("82.1", "80.03", "Memory saturation suspected"),
        "both": ("83", "81", "High CPU + Memory stress"),
    }
    lab.store(CPU, [("00:01:00", server, case[0]) for server, case in cases.items()])
    lab.store(MEM, [("00:01:00", server, case[1]) for server, case in cases.items()])
    result = lab.analyze("cpu_mem")
    assert {row[0]: row[5] for row in rows(result.path)} == {s: c[2] for s, c in cases.items()}
    assert list(result.alerts.values()) == [1, 1, 1]


def test_maxima_are_compared_with_all_their_digits(lab: Lab) -> None:
    """A unit of the last place above the threshold is above."""
    lab.values |= {"window_seconds": 10}
    lab.store(NET, [("00:01:00", "at", "3688.63"), ("00:01:00", "above", "3688.6300000000006")])
    lab.store(DISK, [("00:01:00", "at", "-1e-5"), ("00:01:00", "above", "-7")])
    assert rows(lab.analyze("net_disk").path) == [
        ["above", "00:01:00", "00:01:10", "3688.6300000000006", "-7.0", "Possible DDoS"],
        ["at", "00:01:00", "00:01:10", "3688.63", "-0.00001", ""],
    ]


IDS = ["b,c", 'd"e', "f\ng", "h\r\ni", "\r", "Zürich 💡", " lead", "trail ", "#x", '"', ",", "\\",
       'x\\"y', "NULL", "z", "Z", "\ufffd", "é", "'", "\t", "\u2028"]  # fmt: skip
# How those that a spreadsheet would run are written.
MARKED = {
    "=HYPERLINK(1)": "'=HYPERLINK(1)",
    "+1": "'+1",
    "-a,b": "'-a,b",
    "@SUM(A1)": "'@SUM(A1)",
    '=1&"x"': '\'=1&"x"',
    "\t": "'\t",
    "\r": "'\r",
    "\n=1": "'\n=1",
    "'=HYPERLINK(1)": "''=HYPERLINK(1)",
    "''@": "'''@",
}


def test_server_ids_of_every_kind_come_through_in_byte_order(lab: Lab) -> None:
    """From segment to table, sorted as Python sorts text."""
    for topic in (CPU, MEM):
        lab.store(topic, [("00:00:05", server, "1") for server in IDS])
    cells = [MARKED.get(server, server) for server in IDS]
    assert [row[0] for row in rows(lab.analyze("cpu_mem").path)] == sorted(cells)


def test_no_text_of_a_table_is_run_by_a_spreadsheet(lab: Lab) -> None:
    """Server ids and labels get a mark in front; the raw data and numbers below zero do not."""
    ids = [*MARKED, "'", "'a", "a=1", " =1", "a;=1", "a\t=1"]
    lab.values["groups"]["cpu_mem"]["labels"]["first"] = '-high, "cpu"'
    lab.values["thresholds"] |= {"cpu_pct": -3, "mem_pct": 0}
    for topic in (CPU, MEM):
        segment = lab.store(topic, [("00:00:05", server, "-2.5") for server in ids])
        assert [row[1] for row in rows(segment)] == ids
    result = lab.analyze("cpu_mem")
    table = {row[0]: row[3:] for row in rows(result.path)}
    assert set(table) == {MARKED.get(server, server) for server in ids}
    assert set(map(tuple, table.values())) == {("-2.50", "-2.50", '\'-high, "cpu"')}
    assert result.alerts['-high, "cpu"'] == len(ids)


def test_a_table_over_many_segments_equals_plain_arithmetic(lab: Lab, tmp_path: Path) -> None:
    """Irregular times, gaps, duplicates, negative and small values, 40 servers."""
    rng = random.Random(47)
    dataset = tmp_path / "m.csv"
    with dataset.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["ts", "server_id", "cpu_pct", "mem_pct", "net_in", "disk_io"])
        for _ in range(4_000):
            second = rng.choice([rng.randrange(400), 86_399 - rng.randrange(100)])
            ts = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
            values = [
                repr(round(rng.uniform(-50, 100), rng.choice([0, 1, 2, 3, 9]))) for _ in "1234"
            ]
            writer.writerow([ts, f"server {rng.randrange(40)}", *values])
    thresholds = {"cpu_pct": 40, "mem_pct": 50.5, "net_in": 90, "disk_io": 95}
    lab.values["thresholds"] = thresholds
    store_dataset(lab, dataset, 7)
    exact = tables(dataset, thresholds, "00:00:00")
    assert rows(lab.analyze("cpu_mem").path) == exact[0]
    assert rows(lab.analyze("net_disk").path) == exact[1]
    assert min(len(table) for table in exact) > 1_000


def test_a_third_group_and_other_windows_need_no_code(lab: Lab) -> None:
    """Windows whose length is no multiple of the slide, averages joined by rows."""
    lab.values |= {"window_seconds": 25, "slide_seconds": 10}
    lab.values["thresholds"] |= {"gpu_c": 1, "fan_rpm": 1}
    lab.values["groups"]["gpu_fan"] = metric_group(
        {"gpu": ("gpu_c", "avg_gpu"), "fan": ("fan_rpm", "avg_fan")},
        ("average", "rows", "gpu.csv"),
        ('fire, "now"', "hot", "loud"),
    )
    lab.store("gpu", [("00:01:04", "a", "2"), ("00:01:06", "a", "3")])
    lab.store("fan", [("00:01:04", "a", "2"), ("00:01:06", "a", "5")])
    assert rows(lab.analyze("gpu_fan").path) == [
        ["a", "00:00:40", "00:01:05", "2.00", "2.00", 'fire, "now"'],
        ["a", "00:00:50", "00:01:15", "2.50", "3.50", 'fire, "now"'],
        ["a", "00:01:00", "00:01:25", "2.50", "3.50", 'fire, "now"'],
    ]


def test_an_empty_partition_and_empty_topics_are_no_error(lab: Lab) -> None:
    """A host may have partitions that got no server."""
    for topic in (CPU, MEM):
        lab.store(topic, [], 0)
    assert lab.analyze("cpu_mem").windows == 0
    for topic in (CPU, MEM):
        lab.store(topic, [("00:01:00", "a", "1")], 12)
    assert lab.analyze("cpu_mem").windows == 3
