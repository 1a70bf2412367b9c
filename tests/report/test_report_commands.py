"""`report` and `alerts`: what they print and write, exit statuses, one line for mistakes."""

import contextlib
import csv
import io
import json
import os
import pty
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from server_monitoring.cli import main
from server_monitoring.errors import printable
from server_monitoring.report import export, library
from server_monitoring.report.terminal import duration, shortened, width
from server_monitoring.results.folder import read_results

from tests.support.project import PROJECT
from tests.support.report_runs import FILES, FULL, LAB_TABLES, SPIKE, config, window, write_run

RUN = [
    window("b", 0, 90, 10, SPIKE),
    window("b", 10, 95.5, 10, SPIKE),
    window("c", 60, 10, 85, FULL),
    window("c", 200, 10, 10),
]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return a results folder with two incidents."""
    return write_run(tmp_path / "run", {"cpu_mem": RUN})


@pytest.fixture
def quiet(tmp_path: Path) -> Path:
    """Return a results folder without any."""
    return write_run(tmp_path / "quiet", {"cpu_mem": [window("b", 0, 1, 1)]})


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Return an earlier run: one incident is new since, one was higher, one is gone."""
    rows = [window("b", 10, 99, 10, SPIKE), window("d", 0, 10, 85, FULL)]
    return write_run(tmp_path / "other", {"cpu_mem": rows})


def test_report_writes_page_and_incidents(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And prints one line that says where."""
    assert main(["report", str(run)]) == 0
    assert capsys.readouterr().out == (
        f"{run}/report.html: 2 incidents on 2 servers, 0.1 MB; also incidents.csv and "
        "incidents.json\n"
    )
    assert sorted(path.name for path in run.iterdir()) == FILES


def test_incidents_csv_has_its_documented_columns(run: Path) -> None:
    """Exactly these values, for these windows."""
    main(["report", str(run)])
    assert (run / "incidents.csv").read_text(encoding="utf-8") == (
        "server_id,incident_start,incident_end,group,alert,duration_seconds,windows,peak_column,"
        "peak,peak_at,threshold,above,above_percent\n"
        "b,00:00:00,00:00:40,cpu_mem,CPU spike suspected,40,2,avg_cpu,95.50,00:00:10,82.1,13.4,"
        "16.3\n"
        "c,00:01:00,00:01:30,cpu_mem,Memory saturation suspected,30,1,avg_mem,85.00,00:01:00,80.02,"
        "4.98,6.2\n"
    )


def test_incidents_json_has_every_peak(run: Path) -> None:
    """As numbers; the run's name and window stand above."""
    main(["report", str(run)])
    found = json.loads((run / "incidents.json").read_text(encoding="utf-8"))
    assert (found["run_id"], found["window_seconds"]) == ("run", 30)
    assert found["incidents"][0] == {
        "server_id": "b",
        "incident_start": "00:00:00",
        "incident_end": "00:00:40",
        "group": "cpu_mem",
        "alert": SPIKE,
        "duration_seconds": 40,
        "windows": 2,
        "peaks": [
            {
                "column": "avg_cpu",
                "peak": 95.5,
                "peak_at": "00:00:10",
                "threshold": 82.1,
                "above": 13.4,
                "above_percent": 16.3,
            }
        ],
    }


def test_columns_stand_in_the_documentation() -> None:
    """Each of them, in its place."""
    text = (PROJECT / "docs" / "results.md").read_text(encoding="utf-8")
    rows = [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")]
    place = rows.index(export.COLUMNS[0], rows.index("window_end"))
    assert tuple(rows[place : place + len(export.COLUMNS)]) == export.COLUMNS
    for column in export.CHANGE_COLUMNS:
        assert f"`{column}`" in text


def test_the_lab_s_incidents_hold_all_its_alert_windows(lab: Path) -> None:
    """Counted by label from the tables themselves."""
    windows: Counter[str] = Counter()
    for table in LAB_TABLES.values():
        with table.open(encoding="utf-8", newline="") as lines:
            windows.update(row["alert"] for row in csv.DictReader(lines) if row["alert"])
    counted: Counter[str] = Counter()
    with (lab / "incidents.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            counted[row["alert"]] += int(row["windows"])
    assert counted == windows


def test_alerts_say_by_exit_status_whether_there_are_any(
    run: Path, quiet: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """10 for some, 0 for none; in every format."""
    for form in ("table", "json", "csv"):
        assert main(["alerts", str(run), "--format", form]) == 10
        assert main(["alerts", str(quiet), "--format", form]) == 0
    assert not (run / "incidents.csv").exists()
    assert "run quiet: 0 incidents on 0 servers" in capsys.readouterr().out


def test_alerts_print_a_table_the_worst_first(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Columns aligned, a line that counts at the end."""
    main(["alerts", str(run)])
    lines = capsys.readouterr().out.splitlines()
    assert " ".join(lines[0].split()) == "server alert from to lasted peak threshold above"
    assert lines[1].startswith("b       CPU spike suspected          00:00:00  00:00:40")
    assert lines[1].endswith("82.1  +16.3 %")
    assert lines[-1] == "run run: 2 incidents on 2 servers"
    assert len({len(line) for line in lines[:3]}) == 1


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_on_a_terminal_nothing_controls_it(tmp_path: Path, form: str) -> None:
    """A program gets the texts as they are; a terminal, whose end is read here, shows escapes."""
    name = "a\x1b[2J\x9bb\u202e"
    folder = write_run(tmp_path / "run", {"cpu_mem": [window(name, 0, 90, 10, SPIKE)]})
    ours, theirs = pty.openpty()
    argv = [sys.executable, "-m", "server_monitoring", "alerts", str(folder), f"--format={form}"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "app" / "src")}
    subprocess.run(argv, check=False, stdout=theirs, env=environment)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):
        while part := os.read(ours, 65_536):
            shown += part
    os.close(ours)
    assert b"a\\u001b[2J\\u009bb\\u202e" in shown
    assert not {"\x1b", "\x9b", "\u202e"} & set(shown.decode())


def test_alerts_print_what_the_files_hold(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """CSV and JSON are those of incidents.csv and incidents.json."""
    main(["report", str(run)])
    capsys.readouterr()
    for form in ("csv", "json"):
        main(["alerts", str(run), "--format", form])
        assert capsys.readouterr().out == (run / f"incidents.{form}").read_text(encoding="utf-8")


def test_what_a_spreadsheet_would_run_is_marked_in_csv_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tables' own marks are taken off: page, JSON and terminal have the plain names."""
    names, label = ["=HYPERLINK(1)", "'=HYPERLINK(1)", "-a"], "+high"
    values = config()
    values["groups"]["cpu_mem"]["labels"]["first"] = label
    rows = [window(f"'{name}", 0, 90, 1, f"'{label}") for name in sorted(names)]
    quiet = write_run(tmp_path / "quiet", {}, values)
    run = write_run(tmp_path / "run", {"cpu_mem": rows}, values)
    path = run / "manifest.json"
    facts = json.loads(path.read_text(encoding="utf-8"))
    facts["groups"]["cpu_mem"]["alerts"][label] = len(names)
    path.write_text(json.dumps(facts), encoding="utf-8")
    results = read_results(run)
    assert {(i.server, i.label) for i in results.incidents()} == {(n, label) for n in names}
    assert [server.name for server in results.servers] == sorted(names)
    for more in ([], ["--against", str(quiet)]):
        assert main(["alerts", str(run), *more, "--format", "csv"]) == 10
        cells = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
        assert {c["server_id"] for c in cells} == {f"'{name}" for name in names}
        assert {c["alert"] for c in cells} == {f"'{label}"}
    assert main(["alerts", str(run), "--format", "json"]) == 10
    found = json.loads(capsys.readouterr().out)["incidents"]
    assert {(i["server_id"], i["alert"]) for i in found} == {(n, label) for n in names}


def test_alerts_against_another_run_show_only_changes(
    run: Path, other: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """New, gone and changed ones, with what they were; status 0 if there is none."""
    argv = ["alerts", str(run), "--against", str(other)]
    assert main([*argv, "--format", "csv"]) == 10
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert list(rows[0]) == list(export.CHANGE_COLUMNS)
    assert [(r["change"], r["server_id"], r["was_start"], r["was_peak"]) for r in rows] == [
        ("changed", "b", "00:00:10", "99.00"),
        ("new", "c", "", ""),
        ("gone", "d", "", ""),
    ]
    assert main([*argv, "--format", "json"]) == 10
    found = json.loads(capsys.readouterr().out)
    assert [change["change"] for change in found["changes"]] == ["changed", "new", "gone"]
    assert found["changes"][0]["was"]["peaks"][0]["peak"] == 99
    assert found["changes"][1]["was"] is None
    assert main(argv) == 10
    out = capsys.readouterr().out
    assert "00:00:10 to 00:00:40, peak 99.00" in out
    assert out.endswith("run run against other: 1 new, 1 gone, 1 changed\n")
    assert main(["alerts", str(run), "--against", str(run)]) == 0
    assert "0 new, 0 gone, 0 changed" in capsys.readouterr().out


def test_runs_whose_times_are_written_otherwise_cannot_be_compared(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A time of day has no place among dates."""
    dated = write_run(tmp_path / "dated", {}, config(start="2026-01-31T00:00:00+01:00"))
    for command in ("alerts", "report"):
        assert main([command, str(run), "--against", str(dated)]) == 9
        assert (
            "found times like 2026-01-31T00:00:00+01:00, expected the form of 00:00:00"
            in capsys.readouterr().err
        )


@pytest.mark.parametrize("command", ["report", "alerts"])
def test_a_folder_that_is_none_is_one_line(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the exit status of results."""
    assert main([command, str(tmp_path / "none")]) == 9
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.startswith(f"server-monitoring: error: {tmp_path / 'none'}: no such folder")


def test_a_folder_that_cannot_be_written_is_one_line(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tables are as before."""
    (run / "report.html").mkdir()
    assert main(["report", str(run)]) == 6
    assert "report.html: Is a directory" in capsys.readouterr().err


def test_the_plotting_library_must_be_the_one_that_was_chosen(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Missing or other, the line says how it comes there; the sums of project and app agree."""
    sums = PROJECT / "files" / "report" / "sha256sums"
    assert sums.read_text(encoding="utf-8") == f"{library.SHA256}  {library.FILE}\n"
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    assert main(["report", str(run)]) == 9
    assert "run 'make control'" in capsys.readouterr().err
    path = library.default_path()
    path.parent.mkdir(parents=True)
    path.write_bytes(b"other")
    assert main(["report", str(run)]) == 9
    assert "expected 35b1d5d332ae..." in capsys.readouterr().err


def test_the_terminal_is_not_steered_by_a_server_s_name() -> None:
    """Escapes, line ends and marks of direction are written out."""
    assert printable("a\x1b[31m\nb\u202ec") == "a\\u001b[31m\\u000ab\\u202ec"
    assert printable("größe ☃") == "größe ☃"


def test_long_and_wide_names_keep_the_columns() -> None:
    """The middle is left out; wide characters count double."""
    name = shortened("x" * 100 + "end", 40)
    assert (width(name), name[-3:]) == (39, "end")
    assert width(shortened("服务器" * 30, 40)) <= 40
    assert width("e\u0301") == 1
    assert shortened("short", 40) == "short"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (40, "40 s"), (430, "7 min 10 s"), (7_500, "2 h 5 min"), (86_420, "1 d 20 s")],
)
def test_durations_are_words(seconds: int, text: str) -> None:
    """The two largest units that are not zero."""
    assert duration(seconds) == text
