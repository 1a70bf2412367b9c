"""Files as people really have them: each is read right, or refused by its true name in one line."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from server_monitoring import cli
from server_monitoring.commands import common
from server_monitoring.model.groups import DEFAULT_COLUMNS
from server_monitoring.model.layout import Layout
from server_monitoring.model.timestamps import CLOCK, TimeForm
from server_monitoring.sources.dataset import Dataset
from server_monitoring.sources.rows import Report, Row

from tests.support.project import PROJECT
from tests.unit.app.app_command import Said

FIELD = Path(__file__).parent / "field"
COLUMNS = ("cpu_pct", "mem_pct", "net_in", "disk_io")
HEADER = "ts,server_id,cpu_pct,mem_pct,net_in,disk_io\n"
Validate = Callable[..., Said]


def read(
    path: Path, layout: Layout | None = None, form: TimeForm | None = None
) -> tuple[Report, list[Row]]:
    """Return the report of a file, and its good rows."""
    with Dataset(path, COLUMNS, form, layout) as dataset:
        return dataset.validate(), [row for row in dataset.read() if isinstance(row, Row)]


@pytest.fixture
def validate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Validate:
    """Return a function that validates a file as on a control machine: with no configuration."""
    monkeypatch.setattr(common, "is_provisioned", lambda: False)

    def run(path: Path | str, *more: str) -> Said:
        return Said(cli.main(["validate", "--dataset", str(path), *more]), *capsys.readouterr())

    return run


REFUSED = {
    "two-nights.csv": "line 122: the clock of server 'web-1' goes back from 23:59:00 to 00:00:00, "
    "expected the times of one day; write times as ISO 8601 with date and zone, or set "
    "pipeline_clock_goes_back to keep",
    "semicolon-comma.csv": "its columns are separated by ';': set pipeline_csv_separator to ';'",
    "semicolon-dot.csv": "its columns are separated by ';': set pipeline_csv_separator to ';'",
    "no-header.csv": "line 1: column ts is not there: found '20:52:00', 'web-1', '37', '83', "
    "'43.08', '3', expected each of ts, server_id, cpu_pct, mem_pct, net_in, disk_io once; this "
    "looks like a row: the first line must name the columns",
    "seconds.csv": "epoch seconds are read if pipeline_time_unit is epoch_seconds",
    "escape-header.csv": r"found 'ts\x1b[2J\x1b]0;pwned\x07', 'server_id'",
    "header-blanks.csv": "found 'ts', ' server_id', ' cpu_pct', ' mem_pct', 'net_in', 'disk_io', "
    "expected each of ts, server_id, cpu_pct, mem_pct, net_in, disk_io once; remove the blanks",
    "utf16le.csv": "found UTF-16, expected a CSV file in UTF-8",
    "metrics.zip": "found a zip archive, expected a CSV file",
    "metrics.csv.xz": "found compressed by xz, expected a CSV file",
    "blank.csv": "3 bad rows in 7 lines, nothing was sent: line 2, column server_id: found "
    "'web-1 ', expected a server id without blanks at its ends; and 2 problems more",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_in_one_line(name: str, validate: Validate) -> None:
    """It names the file, says what that is, and what to do; nothing reaches the terminal raw."""
    said = validate(FIELD / name)
    assert (said.status, said.out) == (4, "")
    *_, last = said.err.splitlines()
    assert last.startswith(f"server-monitoring: error: {FIELD / name}: ")
    assert REFUSED[name] in last
    assert all(line.isprintable() for line in said.err.splitlines())


READ = {
    "skippable-first.csv.zst": "31 lines: 30 good rows, 0 bad rows",
    "iso-under-clock-start.csv": "3 lines: 2 good rows, 0 bad rows",
    "blank-line-end.csv": "14 lines: 12 good rows, 0 bad rows, 1 empty line skipped",
    "logbox.csv": "2 lines: 1 good row, 0 bad rows",
}


@pytest.mark.parametrize("name", READ)
def test_what_is_unusual_and_clear_is_read(name: str, validate: Validate) -> None:
    """The line tells the file's lines, and what became of them."""
    said = validate(FIELD / name)
    assert (said.status, said.err) == (0, "")
    assert said.out == f"{FIELD / name}: {READ[name]}\n"


def test_a_fraction_of_a_second_is_floored() -> None:
    """What goes on is the canonical text."""
    _, [row] = read(FIELD / "logbox.csv")
    assert row.ts == "2026-01-31T20:52:00Z"


def test_settings_for_separator_and_decimal_comma_make_such_files_readable() -> None:
    """And only the right ones do."""
    _, rows = read(FIELD / "semicolon-comma.csv", Layout(";", decimal_comma=True))
    assert rows[0] == Row(2, "20:52:00", "web-1", ["4.97", "61.66", "0.02", "103.46"])
    _, rows = read(FIELD / "semicolon-dot.csv", Layout(";"))
    assert rows == [Row(2, "20:52:00", "web-1", ["4.97", "61.66", "0.02", "103.46"])]
    report, _ = read(FIELD / "semicolon-comma.csv", Layout(";"))
    assert "decimal commas are read if pipeline_decimal_comma is true" in str(report.shown[0])
    report, _ = read(FIELD / "semicolon-dot.csv", Layout(";", decimal_comma=True))
    assert "a number with a decimal comma, as pipeline_decimal_comma says" in str(report.shown[0])


def test_epoch_seconds_are_read_by_the_setting() -> None:
    """As ISO 8601 in UTC."""
    _, rows = read(FIELD / "seconds.csv", Layout(time_unit="epoch_seconds"))
    assert [row.ts for row in rows] == ["2026-01-31T20:52:00Z", "2026-01-31T20:52:10Z"]


def test_under_a_start_of_the_other_form_the_way_out_is_named() -> None:
    """The setting decides the form; left empty, the data does."""
    report, _ = read(FIELD / "iso-under-clock-start.csv", form=CLOCK)
    assert str(report.shown[0]) == (
        "line 2, column ts: found '2026-01-31T20:52:00Z', expected a time HH:mm:ss (as "
        "pipeline_start is written; leave that empty to take the form of the data)"
    )


def test_clocks_that_go_back_are_kept_by_the_setting() -> None:
    """All rows go on; the analysis counts those with one time and server."""
    report, rows = read(FIELD / "two-nights.csv", Layout(clock_goes_back="keep"))
    assert (report.rows, len(rows), report.lines) == (480, 480, 481)


def stray(tmp_path: Path, bad: dict[int, str]) -> Path:
    """Write 1,000 rows, with other text in some lines."""
    lines = [f"{s // 360:02}:{s // 6 % 60:02}:{s % 6}0,web-{s % 5},1,2,3,4" for s in range(1_000)]
    for number, text in bad.items():
        lines[number - 2] = text
    path = tmp_path / "stray.csv"
    path.write_text(HEADER + "\n".join(lines) + "\n")
    return path


OPEN, CLOSING = '00:16:40,"web-1,1,2,3,4', '02:30:00,web-1",1,2,3,4'


@pytest.mark.parametrize(
    ("bad", "first"),
    [
        ({102: OPEN, 902: CLOSING}, "a closing quotation mark on this line"),
        ({102: OPEN}, "a closing quotation mark on this line"),
        ({102: '00:16:40,"web"-1,1,2,3,4'}, "',' behind a closing quotation mark"),
        ({102: '00:16:40,19" rack,1,2,3,4'}, "no quotation mark within a field that does not"),
        ({102: '00:16:40,"we', 103: 'b-1",1,2,3,4'}, "a closing quotation mark on this line"),
    ],
)
def test_a_stray_quotation_mark_costs_its_own_line(
    bad: dict[int, str], first: str, tmp_path: Path, validate: Validate
) -> None:
    """By default the file is refused, with each line; left out, all others are there."""
    path = stray(tmp_path, bad)
    said = validate(path)
    assert said.status == 4
    assert all(f"{path}: line {n}, column " in said.err for n in bad) == (len(bad) > 1)
    assert f"line 102, column server_id: found {bad[102][9:]!r}, expected {first}" in said.err
    report, rows = read(path)
    assert (report.rows, report.bad_rows, report.lines) == (1_000 - len(bad), len(bad), 1_001)
    assert {row.line for row in rows} == set(range(2, 1_002)) - set(bad)
    said = validate(path, "--on-bad-row=skip")
    counts = f"{1_000 - len(bad)} good rows, {len(bad)} bad row{'s' if len(bad) > 1 else ''}"
    assert (said.status, said.out) == (0, f"{path}: 1,001 lines: {counts}\n")


def test_an_id_that_is_too_long_is_refused_before_anything_is_sent(
    tmp_path: Path, validate: Validate
) -> None:
    """One of 255 characters is read."""
    path = tmp_path / "long.csv"
    path.write_text(f"{HEADER}20:52:00,{'a' * 255},1,2,3,4\n20:52:00,{'a' * 200_000},1,2,3,4\n")
    said = validate(path)
    assert said.status == 4
    assert "line 3, column server_id: found 'aaa" in said.error()
    assert "expected a server id of at most 255 characters, not 200,000" in said.error()


def test_twenty_problems_are_twenty_lines(tmp_path: Path, validate: Validate) -> None:
    """Then how many more there are, and last the line that ends it."""
    path = tmp_path / "many.csv"
    path.write_text(HEADER + "20:52:00,a,x,2,3,4\n" * 30 + "20:52:00,a,1,2,3,4\n")
    *problems, more, last = validate(path).err.splitlines()
    assert len(problems) == 20
    assert problems[19] == (f"{path}: line 21, column cpu_pct: found 'x', expected a finite number")
    assert more == f"{path}: and 10 problems more"
    assert f"{path}: 30 bad rows in 32 lines, nothing was sent: line 2, column cpu_pct" in last


def test_a_path_is_read_in_one_way(
    tmp_path: Path, validate: Validate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home by its mark, blanks, brackets, letters of any script, and a link."""
    monkeypatch.setenv("HOME", str(tmp_path))
    target = tmp_path / "größe [1] é.csv"
    target.write_text(f"{HEADER}20:52:00,a,1,2,3,4\n")
    (tmp_path / "link").symlink_to(target)
    for name in ("~/größe [1] é.csv", "~/link"):
        assert validate(name).out.endswith("2 lines: 1 good row, 0 bad rows\n")


def test_the_defaults_are_those_of_the_role_s_settings() -> None:
    """`validate` without a configuration reads the columns that a run with the defaults does."""
    defaults = yaml.safe_load((PROJECT / "roles/pipeline/defaults/main.yml").read_text())
    groups = defaults["pipeline_groups"].values()
    assert tuple(m["column"] for group in groups for m in group["metrics"]) == DEFAULT_COLUMNS
