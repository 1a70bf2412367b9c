"""The data set: every kind of bad row is found, with its line and column."""

from collections.abc import Callable
from pathlib import Path

import pytest
from server_monitoring.errors import DatasetError
from server_monitoring.model.timestamps import CLOCK, ISO
from server_monitoring.sources import files
from server_monitoring.sources.dataset import Dataset
from server_monitoring.sources.rows import BadRow, EmptyRow, Row

Write = Callable[[str | bytes], Path]
HEADER = "ts,server_id,cpu_pct,mem_pct\n"
COLUMNS = ("cpu_pct", "mem_pct")
NEXT_LINE = "20:52:00,b,1,2\n"


def rows(path: Path) -> list[Row | BadRow | EmptyRow]:
    """Return all rows of a file."""
    with Dataset(path, COLUMNS, CLOCK) as dataset:
        return list(dataset.read())


def test_good_rows_come_with_their_lines_and_canonical_values(write_csv: Write) -> None:
    """In the asked order of columns, whatever the order in the file."""
    path = write_csv(
        "mem_pct,extra,ts,server_id,cpu_pct\n1e1,x,20:52:00,a,5\n2,y,20:52:10,b,6.50\n"
    )
    assert rows(path) == [
        Row(2, "20:52:00", "a", ["5.0", "10.0"]),
        Row(3, "20:52:10", "b", ["6.5", "2.0"]),
    ]


def test_server_ids_with_commas_quotes_and_unicode_survive(write_csv: Write) -> None:
    """Also beside a line that has to be looked at by itself."""
    path = write_csv(HEADER + '20:52:00,"a,""b""",1,2\n\n20:52:00,Zürich 💡,1,2\n')
    assert rows(path) == [
        Row(2, "20:52:00", 'a,"b"', ["1.0", "2.0"]),
        EmptyRow(3),
        Row(4, "20:52:00", "Zürich 💡", ["1.0", "2.0"]),
    ]


NEXT = Row(3, "20:52:00", "b", ["1.0", "2.0"])


@pytest.mark.parametrize(
    ("server_id", "expected"),
    [
        ("", "a server id in UTF-8, not empty, without NUL"),
        ("a\0b", "a server id in UTF-8, not empty, without NUL"),
        *((f"a{char}b", "a server id without line ends or other control characters")
          for char in ("\t", "\x0b", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\u202e")),
        *((id_, "a server id without blanks at its ends") for id_ in (
            " a", "a ", "a\xa0", "\u202fa", "\u3000a", "a\u200b", "\ufeffa", "a\u2060 ")),
        ("a" * 256, "a server id of at most 255 characters, not 256"),
    ],
)  # fmt: skip
def test_a_server_id_is_a_plain_text(write_csv: Write, server_id: str, expected: str) -> None:
    """Quoted or not; the next row is read again."""
    for mark in ("", '"'):
        bad, good = rows(write_csv(f"{HEADER}20:52:00,{mark}{server_id}{mark},1,2\n{NEXT_LINE}"))
        assert isinstance(bad, BadRow)
        assert [problem.expected for problem in bad.problems] == [expected]
        assert bad.problems[0].column == "server_id"
        assert bad.problems[0].found.isprintable()
        assert good == NEXT


@pytest.mark.parametrize("server_id", ["a" * 255, "ä" * 255, "a b", "a\u200db", "a\xa0b", "=1+1"])
def test_what_else_a_server_id_is_stays_as_it_is(write_csv: Write, server_id: str) -> None:
    """Within it, blanks and what joins letters have a meaning."""
    [row] = rows(write_csv(f"{HEADER}20:52:00,{server_id},1,2\n"))
    assert row == Row(2, "20:52:00", server_id, ["1.0", "2.0"])


@pytest.mark.parametrize("line", ["", ",,,", ",", ",,,,,,,", '"",,,'])
def test_empty_lines_and_rows_of_commas_alone_are_skipped_and_counted(
    write_csv: Write, line: str
) -> None:
    """As spreadsheets leave them; the numbers of the others are their lines."""
    path = write_csv(f"{HEADER}{line}\n{NEXT_LINE}{line}\n{line}")
    found = rows(path)
    assert found[:2] == [EmptyRow(2), NEXT]
    with Dataset(path, COLUMNS, CLOCK) as dataset:
        report = dataset.validate()
    assert (report.rows, report.bad_rows, report.empty) == (1, 0, 3 if line else 2)
    assert report.lines == 2 + report.empty


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 1 << 15])
def test_a_line_ends_wherever_it_is_cut_into_parts(
    write_csv: Write, monkeypatch: pytest.MonkeyPatch, end: str, size: int
) -> None:
    """In the middle of a letter or of a line end, and with or without a last one."""
    monkeypatch.setattr(files, "_CHUNK", size)
    text = (HEADER + '20:52:00,größe,1,2\n20:52:10,"a,b",3,4').replace("\n", end)
    for last in ("", end):
        assert rows(write_csv(text + last)) == [
            Row(2, "20:52:00", "größe", ["1.0", "2.0"]),
            Row(3, "20:52:10", "a,b", ["3.0", "4.0"]),
        ]


def test_windows_line_ends_and_a_byte_order_mark_are_read_through(write_csv: Write) -> None:
    """As spreadsheets write them."""
    path = write_csv(b"\xef\xbb\xbf" + (HEADER + "20:52:00,a,1,2\n").replace("\n", "\r\n").encode())
    assert rows(path) == [Row(2, "20:52:00", "a", ["1.0", "2.0"])]


@pytest.mark.parametrize(
    ("line", "problems"),
    [
        ("20:52:00,a,1", ["line 2: found 3 fields, expected 4"]),
        ("20:52:00,a,1,2,3", ["line 2: found 5 fields, expected 4"]),
        ("x", ["line 2: found 1 field, expected 4"]),
        ("25:00:00,a,1,2", ["line 2, column ts: found '25:00:00', expected a time HH:mm:ss"]),
        ("20:52:00,,1,2", ["line 2, column server_id: found '', expected a server id"]),
        ("20:52:00,a,x,2", ["line 2, column cpu_pct: found 'x', expected a finite number"]),
        ("20:52:00,a,1,nan", ["line 2, column mem_pct: found 'nan', expected a finite number"]),
        ("20:52:00,a,-inf,1e999", ["cpu_pct: found '-inf'", "mem_pct: found '1e999'"]),
        ("20:52:00,a,1e999,1", ["cpu_pct: found '1e999', expected a finite number"]),
        ("20:52:00,a,,", ["line 2: found no value, expected a value of at least one metric"]),
        ("20:52:00,a, ,1", ["cpu_pct: found ' ', expected a finite number"]),
        (
            "2024-05-01T20:52:00Z,a,1,2",
            ["column ts: found '2024-05-01T20:52:00Z', expected a time"],
        ),
        ("x,a,y,z", ["column ts", "column cpu_pct", "column mem_pct"]),
    ],
)
def test_a_bad_row_names_line_column_found_and_expected(
    write_csv: Write, line: str, problems: list[str]
) -> None:
    """Each bad field of the row on its own; the next row is read again."""
    bad, good = rows(write_csv(f"{HEADER}{line}\n20:52:00,b,1,2\n"))
    assert isinstance(bad, BadRow)
    assert len(bad.problems) == len(problems)
    for found, expected in zip(bad.problems, problems, strict=True):
        assert expected in str(found)
    assert good == Row(3, "20:52:00", "b", ["1.0", "2.0"])


def test_an_empty_field_is_no_value_and_the_others_count(write_csv: Write) -> None:
    """A gap in one metric costs nothing in the others."""
    path = write_csv(HEADER + "20:52:00,a,,2\n20:52:00,b,1,\n20:52:00,c,1,2\n")
    assert [row.values for row in rows(path) if isinstance(row, Row)] == [
        ["", "2.0"],
        ["1.0", ""],
        ["1.0", "2.0"],
    ]
    with Dataset(path, COLUMNS, CLOCK) as dataset:
        report = dataset.validate()
    assert (report.rows, report.missing) == (3, {"cpu_pct": 1, "mem_pct": 1})


def test_a_data_set_has_one_form_of_time(write_csv: Write) -> None:
    """That of the setting start; zones may differ, as they do when clocks change."""
    times = ["2024-10-27T02:30:00+02:00", "2024-10-27T02:30:00+01:00", "02:30:00"]
    path = write_csv(HEADER + "".join(f"{ts},a,1,2\n" for ts in times))
    with Dataset(path, COLUMNS, ISO) as dataset:
        first, second, bad = list(dataset.read())
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert [first.ts, second.ts] == times[:2]
    assert isinstance(bad, BadRow)
    assert "expected a time YYYY-MM-DDTHH:mm:ss with Z or an offset" in str(bad.problems[0])


def test_bytes_that_are_not_utf8_make_their_row_bad_only(write_csv: Write) -> None:
    """A file in another encoding is reported, not a crash."""
    path = write_csv(HEADER.encode() + b"20:52:00,M\xfcller,1,2\n20:52:00,b,1,2\n")
    bad, good = rows(path)
    assert "server_id: found 'M\\udcfcller'" in str(bad.problems[0])  # type: ignore[union-attr]
    assert good.line == 3


def test_the_first_twenty_problems_are_shown_and_the_rest_counted(write_csv: Write) -> None:
    """The message itself stays one line of bounded length."""
    path = write_csv(HEADER + "20:52:00,a,x,y\n" * 30 + "20:52:00,a,1,2\n")
    with Dataset(path, COLUMNS, CLOCK) as dataset:
        report = dataset.validate()
    assert (report.rows, report.bad_rows, report.problems) == (1, 30, 60)
    error = report.refusal(path, "mend it")
    assert len(error.details) == 21
    assert error.details[20].endswith(": and 40 problems more")
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty file, expected a header"),
        ("\n", "found an empty line"),
        (HEADER, "a header but no rows"),
        ("ts,server_id,cpu_pct\n1,2,3\n", "line 1: column mem_pct is not there"),
        ("ts,server_id,cpu_pct,mem_pct,ts\n", "line 1: column ts is twice"),
        (
            'ts,"server_id,cpu_pct,mem_pct\n',
            "line 1: found '\"server_id,cpu_pct,mem_pct', expected",
        ),
    ],
)
def test_a_file_that_is_no_data_set_is_refused(
    write_csv: Write, content: str, message: str
) -> None:
    """Whole-file faults stop at once, also when bad rows are skipped."""
    path = write_csv(content)
    with pytest.raises(DatasetError) as caught, Dataset(path, COLUMNS, CLOCK) as dataset:
        dataset.validate()
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    """With the system's reason."""
    with pytest.raises(DatasetError, match="No such file"):
        Dataset(tmp_path / "none.csv", COLUMNS, CLOCK)
    with pytest.raises(DatasetError, match="directory"):
        Dataset(tmp_path, COLUMNS, CLOCK)


def test_reading_twice_gives_the_same_rows(write_csv: Write) -> None:
    """The validation pass and the sending pass see one file."""
    path = write_csv(HEADER + "".join(f"20:52:00,s{i},{i},2\n" for i in range(5_000)))
    with Dataset(path, COLUMNS, CLOCK) as dataset:
        digest = dataset.sha256()
        first = list(dataset.read())
        assert list(dataset.read()) == first
        assert dataset.sha256() == digest
    assert len(first) == 5_000
    assert digest[1] == path.stat().st_size
