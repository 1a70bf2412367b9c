"""Closing the books of a day: differences of every kind, late windows, rows that came since."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from server_monitoring.host.runs import Day, checked_day
from server_monitoring.results import books
from server_monitoring.store.days import DaySegments
from server_monitoring.store.journal import Journal
from server_monitoring.store.segment import csv_lines

from tests.support.app_settings import live_section
from tests.unit.app.app_command import App

DAY = "2025-11-30"
HEADER = "server_id,window_start,window_end,avg_cpu,avg_mem,alert\n"
CPU, BOTH = "CPU spike suspected", "High CPU + Memory stress"
Alert = dict[str, Any]


def at(clock: str) -> str:
    """Return a time of the day."""
    return f"{DAY}T{clock}Z"


def window(
    start: str = "00:00:00", alert: str = CPU, server: str = "a", cpu: str = "90.00", **more: Any
) -> Alert:
    """Return the live alert of a window of half a minute that starts at a full one."""
    return {
        "kind": "window",
        "id": "0f",
        "group": "cpu_mem",
        "server_id": server,
        "window_start": at(start),
        "window_end": at(f"{start[:-2]}30"),
        "alert": alert,
        "values": {"avg_cpu": cpu, "avg_mem": "1.00"},
        "thresholds": {"cpu_pct": "82.1", "mem_pct": "80.02"},
    } | more


def row(start: str = "00:00:00", alert: str = CPU, server: str = "a", cpu: str = "90.00") -> str:
    """Return the same as a row of the table."""
    return f"{server},{at(start)},{at(f'{start[:-2]}30')},{cpu},1.00,{alert}\n"


@pytest.fixture
def day(values: dict[str, Any]) -> Day:
    """Return the day, analyzed, with 10 rows of each metric."""
    made = Day.of(Path(values["data_dir"]), checked_day(DAY))
    made.live.mkdir(parents=True)
    made.create()
    told = {"topic-cpu": 10, "topic-mem": 10}
    summary = {"rows": told, "repeated_rows": {"topic-cpu": 1, "topic-mem": 0}}
    (made.directory / "analyze-cpu_mem.json").write_text(json.dumps(summary))
    return made


Close = Callable[..., tuple[int, str, dict[str, Any]]]


@pytest.fixture
def close(day: Day, app: App, tmp_path: Path) -> Close:
    """Return a function that closes the books over rows of the table and live alerts."""

    def run(rows: list[str], alerts: list[Alert]) -> tuple[int, str, dict[str, Any]]:
        (day.directory / "team_47_CPU_MEM.csv").write_text(HEADER + "".join(rows))
        path = tmp_path / "alerts.jsonl"
        path.write_text("\n".join(map(json.dumps, alerts)))
        options = ["--group", "cpu_mem", "--alerts", str(path)]
        said = app("books", "--day", DAY, *options)
        assert not said.err, said.err
        content = json.loads((day.directory / books.BOOKS).read_text())
        return said.status, said.out, content

    return run


def test_the_same_alerts_are_no_difference(close: Close) -> None:
    """Records of other kinds, groups and days are left out; an id is the text of its cell."""
    rows = [row("00:01:00", ""), row("00:02:00"), row("00:03:00", BOTH, "'=a")]
    alerts = [
        window("00:02:00"),
        window("00:03:00", BOTH, "=a"),
        window("00:04:00", kind="transition"),
        window("00:04:00", group="net_disk"),
        window(window_start="2025-11-29T23:59:50Z"),
        window(window_start="2025-12-01T00:00:00Z"),
    ]
    status, out, content = close(rows, alerts)
    assert status == 0
    assert out == (
        f"{DAY}: 3 windows, 2 alerts of the batch analysis, 2 live, 0 differences; "
        "1 rows sent twice\n"
    )
    assert content["windows"] == {"cpu_mem": 3}
    assert (content["alerts_batch"], content["alerts_live"]) == ({"cpu_mem": 2}, {"cpu_mem": 2})
    assert content["differences"] == content["late"] == {"count": 0, "windows": []}


@pytest.mark.parametrize(
    ("rows", "alerts", "kind"),
    [
        ([row()], [], books.ONLY_BATCH),
        ([], [window()], books.ONLY_LIVE),
        ([row(alert="")], [window()], books.ONLY_LIVE),
        ([row()], [window(alert=BOTH)], books.OTHER),
        ([row()], [window(cpu="90.01")], books.OTHER),
        ([row()], [window(cpu="90.0")], books.OTHER),
        ([row()], [window(window_end=at("00:00:20"))], books.OTHER),
        ([row()], [window(values={"avg_cpu": "90.00"})], books.OTHER),
        ([row()], [window(), window()], books.TWICE),
        ([row(alert="")], [window(), window()], books.TWICE),
        ([row(server="b")], [window(server="b", cpu="1.00")], books.OTHER),
    ],
)
def test_a_difference_says_what_each_side_says(
    close: Close, rows: list[str], alerts: list[Alert], kind: str
) -> None:
    """Of which server and window; the exit status says that there is one."""
    equal = [row("00:05:00", BOTH, "c")], [window("00:05:00", BOTH, "c")]
    status, out, content = close(rows + equal[0], alerts + equal[1])
    assert status == 10
    assert "1 differences" in out
    (found,) = content["differences"]["windows"]
    assert (found["kind"], found["group"], found["window_start"]) == (
        kind,
        "cpu_mem",
        at("00:00:00"),
    )
    assert len(found["live"]) == len(alerts)
    assert (found["batch"] is None) == (not rows)
    if rows and alerts:
        assert found["batch"]["values"]["avg_cpu"] == rows[0].split(",")[3]
        assert found["live"][0]["alert"] == alerts[0]["alert"]


def test_many_differences_are_all_counted(close: Close, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first ones are listed."""
    monkeypatch.setattr(books, "MOST_LISTED", 3)
    status, out, content = close([row(server=f"s{n}") for n in range(9)], [])
    assert (status, content["differences"]["count"]) == (10, 9)
    assert len(content["differences"]["windows"]) == 3
    assert "9 differences" in out


def store(day: Day, name: str, times: list[str]) -> None:
    """Store rows of server a, as a live consumer does."""
    segments = DaySegments(day.live, "cpu_pct", Journal("topic-cpu", "id", 0, 0))
    lines = csv_lines([(time, "a", "1.0") for time in times])
    segments.append(name, lines, len(times), len(times), 1)
    segments.moved(len(times))
    segments.store()
    segments.close()


def test_windows_with_rows_that_came_too_late_are_listed_apart(close: Close, day: Day) -> None:
    """Every window that holds such a row, also one of the next day's, and no other."""
    store(day, f"{DAY}/untimely", [at("00:01:10")])
    store(day, "2025-12-01/untimely", ["2025-12-01T00:00:05Z"])
    late = ["00:00:50", "00:01:00", "00:01:10"]
    ends = {"00:00:50": "00:01:20", "00:01:00": "00:01:30", "00:01:10": "00:01:40"}
    rows = [f"a,{at(s)},{at(e)},90.00,1.00,{CPU}\n" for s, e in ends.items()]
    rows.append(row("00:01:20"))
    rows.append(f"a,{at('23:59:50')},2025-12-01T00:00:20Z,90.00,1.00,{CPU}\n")
    rows.append(row(server="b", start="00:01:00"))
    status, out, content = close(rows, [])
    assert status == 10
    found = [w["window_start"] for w in content["late"]["windows"]]
    assert found == [*map(at, late), at("23:59:50")]
    others = [(w["server_id"], w["window_start"]) for w in content["differences"]["windows"]]
    assert others == [("a", at("00:01:20")), ("b", at("00:01:00"))]
    assert "2 differences; 4 late windows, 1 rows untimely, 1 rows sent twice" in out


@pytest.mark.parametrize(("late", "is_open"), [(89, True), (91, False)])
def test_the_last_windows_of_a_day_that_is_not_over_are_open(
    close: Close, day: Day, monkeypatch: pytest.MonkeyPatch, *, late: int, is_open: bool
) -> None:
    """Those that may hold rows which came after the analysis: no late hours are set here."""
    monkeypatch.setattr(time, "time", lambda: float(day.seconds().stop + late))
    rows = [row("00:01:00", BOTH), row("00:01:30"), row("00:02:00", "")]
    alerts = [
        window("00:01:00", BOTH),
        window("00:02:00"),
        window("00:02:30"),
        window("00:01:00", server="b"),
    ]
    status, out, content = close(rows, alerts)
    counted = content["differences"]["count"], content["open"]["cpu_mem"]
    if is_open:
        # Only batch, of a window behind which there is a row.
        assert counted == (1, 3)
        assert "3 windows still open" in out
    else:
        assert counted == (4, 0)
    assert status == 10


def test_windows_of_servers_that_are_watched_no_more_are_listed_apart(
    close: Close, values: dict[str, Any]
) -> None:
    """Consumer and detector did not leave them in the same moment; equal ones are equal."""
    values["live"] = live_section(servers=["a"])
    rows = [row(), row(server="gone"), row("00:01:00", server="gone")]
    status, _, content = close(rows, [window(), window("00:01:00", server="gone")])
    assert status == 0
    assert [w["server_id"] for w in content["late"]["windows"]] == ["gone"]
    assert (content["alerts_live"], content["differing"]) == ({"cpu_mem": 2}, {"cpu_mem": 0})


def test_rows_that_came_after_the_analysis_are_counted(close: Close, day: Day) -> None:
    """The day can be closed again then."""
    store(day, f"{DAY}/raw", [at("00:00:00")] * 25)
    status, out, content = close([], [])
    assert status == 0
    assert content["rows"]["cpu_mem"] == {
        "read": 20,
        "sent_twice": 1,
        "untimely": 0,
        "after_closing": 5,
    }
    assert "5 rows after closing" in out


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("team_47_CPU_MEM.csv", None, "No such file or directory; analyze day 2025-11-30 first"),
        ("team_47_CPU_MEM.csv", "a,b\n", "not a table of server_id, window_start"),
        ("team_47_CPU_MEM.csv", f"{HEADER}a,b\n", "after row 0: not enough values"),
        ("team_47_CPU_MEM.csv", f"{HEADER}{row()}a,b,c,d,e,f,g\n", "after row 1: zip"),
        ("analyze-cpu_mem.json", None, "expected the summary of an analysis"),
        ("analyze-cpu_mem.json", "[]", "expected the summary of an analysis"),
        ("../../../alerts.jsonl", "{}", "live alerts: line 1: KeyError"),
        ("../../../alerts.jsonl", "\n?\n", "live alerts: line 1: JSONDecodeError"),
        ("../../../alerts.jsonl", None, "--alerts: "),
        ("../../../alerts.jsonl", json.dumps(window(values=1)), "live alerts: line 1: TypeError"),
        ("../../../alerts.jsonl", json.dumps(window(window_start="x")), "line 1: ValueError"),
    ],
)
def test_what_is_missing_or_wrong_is_told_in_a_line(
    close: Close, day: Day, app: App, tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    """And what to do; no books are written."""
    close([row()], [window()])
    (day.directory / books.BOOKS).unlink()
    path = day.directory / name
    path.unlink()
    if content is not None:
        path.write_text(content)
    alerts = str(tmp_path / "alerts.jsonl")
    said = app("books", "--day", DAY, "--group", "cpu_mem", "--alerts", alerts)
    assert said.status in {2, 9}
    assert message in said.error()
    assert not (day.directory / books.BOOKS).exists()


@pytest.mark.parametrize("text", ["2026-02-30", "20261130", "today", "1969-12-31", "3000-01-01"])
def test_a_day_is_a_day(app: App, text: str) -> None:
    """As its folder is called."""
    said = app("books", "--day", text)
    assert said.status == 2
    assert "expected a day in UTC such as 2026-11-30" in said.error()
