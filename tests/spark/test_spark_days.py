"""A day of agents' rows: its table is the part of a batch run's over the same rows."""

import csv
import random
from pathlib import Path

import pytest
from server_monitoring.analysis import job
from server_monitoring.detect.rules import Rules
from server_monitoring.errors import AnalysisError
from server_monitoring.host.runs import Day, checked_day
from server_monitoring.model.exact import exact
from server_monitoring.model.timestamps import ISO, time_text
from server_monitoring.settings.config import live_of
from server_monitoring.store.days import DaySegments
from server_monitoring.store.journal import Journal
from server_monitoring.store.segment import csv_lines

from tests.spark.spark_lab import Lab, Readings
from tests.support.app_settings import live_section

MIDNIGHT = ISO.to_seconds("2026-11-30T00:00:00Z")
DAY = "2026-11-30"
TOPICS = {"topic-cpu": "cpu_pct", "topic-mem": "mem_pct"}


def day(lab: Lab, text: str) -> Day:
    """Return a day of the lab."""
    return Day.of(lab.run.data_dir, checked_day(text))


def store(lab: Lab, topic: str, readings: Readings, partition: int = 0) -> None:
    """Store rows as a live consumer does, and leave more behind that is not valid."""
    live = day(lab, "2026-11-30").live
    segments = DaySegments(live, TOPICS[topic], Journal(topic, "id", partition, 0))
    for offset, reading in enumerate(readings, segments.state.offset):
        name = f"{reading[0][:10]}/raw"
        segments.append(name, csv_lines([reading]), 1, offset + 1, 1)
        segments.moved(offset + 1)
    segments.store()
    if readings:
        segments.append(f"{readings[-1][0][:10]}/raw", "2026-11-30T00:00", 1, 0, 1)
    segments.close()


def analyze(lab: Lab, of_day: Day) -> tuple[job.Result, list[list[str]]]:
    """Analyze a day; return the result, and the table's rows."""
    lab.values["start"] = ""
    config = lab.config()
    of_day.live.mkdir(parents=True, exist_ok=True)
    of_day.create()
    found = job.analyze(lab.session, of_day, config, config.group("cpu_mem"), lambda _: None)
    with found.path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, strict=True))[1:]
    assert found.windows == len(rows)
    return found, rows


def test_a_day_is_the_part_of_a_batch_run_from_midnight_to_midnight(lab: Lab) -> None:
    """Late rows, rows sent twice with other values, gaps, and a slide that does not fit a day."""
    rng = random.Random(47)
    lab.values |= {"window_seconds": 35, "slide_seconds": 7, "start": ""}
    all_rows: dict[str, Readings] = {}
    for topic in TOPICS:
        rows = [
            (time_text(MIDNIGHT + at, ISO.epoch), server, f"{rng.randrange(1000)}.5")
            for at in (*range(-60, 60), *range(86_400 - 60, 86_400 + 60))
            for server in ("a", 'b,"c"')
            if rng.random() < 0.7
        ]
        rows += [(ts, server, "999.0") for ts, server, _ in rng.sample(rows, 20)]
        late = rng.sample(range(len(rows)), 40)
        all_rows[topic] = [r for i, r in enumerate(rows) if i not in late]
        all_rows[topic] += [rows[i] for i in sorted(late)]
        lab.store(topic, all_rows[topic])
        store(lab, topic, all_rows[topic])
    with lab.analyze("cpu_mem").path.open(encoding="utf-8", newline="") as file:
        batch = list(csv.reader(file, strict=True))[1:]
    result, rows_of_day = analyze(lab, day(lab, DAY))
    assert rows_of_day == [row for row in batch if row[1].startswith(DAY)]
    assert {row[1][11:] for row in rows_of_day} >= {"00:00:04Z", "23:59:58Z"}
    assert result.path == lab.directory / "data" / "live" / DAY / "team_47_CPU_MEM.csv"
    # Windows of the day hold rows of both days.
    last = time_text(MIDNIGHT + 86_398 + 34, ISO.epoch)
    for topic, rows in all_rows.items():
        assert result.rows[topic] == sum(row[0][:10] == DAY for row in rows)
        held = [row[:2] for row in rows if f"{DAY}T" <= row[0] <= last]
        assert result.repeated_rows[topic] == len(held) - len(set(held)) > 0
    assert not any((result.corrupt_rows | result.lost_rows).values())
    assert not list((lab.directory / "data" / "live").glob("*/.*"))


def test_a_day_without_rows_of_a_metric_has_an_empty_table(lab: Lab) -> None:
    """A host may have no server that ran on that day; one that never stored any row is refused."""
    with pytest.raises(AnalysisError, match="no live consumer of group cpu_mem has stored"):
        analyze(lab, day(lab, "2026-11-30"))
    store(lab, "topic-cpu", [("2026-11-30T00:00:00Z", "a", "1.0")])
    store(lab, "topic-mem", [])
    assert analyze(lab, day(lab, "2026-11-30"))[1] == []
    assert analyze(lab, day(lab, "2026-12-05"))[1] == []


def test_a_segment_that_is_shorter_than_its_sidecar_is_refused(lab: Lab, tmp_path: Path) -> None:
    """Rows are gone from it."""
    for topic in TOPICS:
        store(lab, topic, [("2026-11-30T00:00:00Z", "a", "1.0")])
    path = tmp_path / "data" / "live" / "2026-11-30" / "raw" / "topic-mem" / "0.csv"
    path.write_text(path.read_text()[:30])
    with pytest.raises(AnalysisError, match="found 30 bytes, expected"):
        analyze(lab, day(lab, "2026-11-30"))


def test_a_day_has_the_thresholds_of_single_servers(lab: Lab) -> None:
    """The first pattern that fits a server and names the column counts, as it does live."""
    servers = ["a", "web-1", "web-2", "db.1", "db\n1", "WEB-1"]
    patterns = {
        "web-[!2]": {"cpu_pct": 4.0},
        "web-*": {"mem_pct": 4.0},
        "db?1": {"cpu_pct": 1.0, "mem_pct": 1.0},
        "*": {"cpu_pct": 6.0},
    }
    lab.values["live"] = live_section(thresholds=patterns)
    for topic in TOPICS:
        store(lab, topic, [("2026-11-30T00:00:00Z", server, "5.0") for server in servers])
    rules = Rules.of(lab.config(), lab.config().group("cpu_mem"), live_of(lab.config()))
    number = rules.measure.of([exact("5.0")])
    wanted = {s: rules.label((number, number), rules.limits(s)) for s in servers}
    assert {row[0]: row[5] for row in analyze(lab, day(lab, DAY))[1]} == wanted
    assert len(set(wanted.values())) == 3
