"""Rows of a segment, told good from corrupt without Spark."""

import random
from pathlib import Path

import pytest
from server_monitoring.model.timestamps import CLOCK, ISO, TimeForm
from server_monitoring.model.wire import Reading
from server_monitoring.store import lines
from server_monitoring.store.segment import csv_lines, header_line

IDS = ["a", "b,c", 'd"e', "f\ng", "h\r\ni", "\n\n", "\r", "Zürich 💡", " x ", '"', '""', ",", "\\"]


def segment(path: Path, body: bytes) -> Path:
    """Write a segment with a header."""
    path.write_bytes(header_line("cpu_pct").encode() + body)
    return path


def of(path: Path, form: TimeForm = CLOCK) -> list[tuple[int, bytes, bool]]:
    """Return the lines of a segment as plain tuples."""
    return [(n, content, good) for n, content, good in lines.lines(path, form)]


def test_every_row_that_a_consumer_writes_is_good(tmp_path: Path) -> None:
    """Whatever the id; its number is that of its first line."""
    rng = random.Random(47)
    readings = [Reading("00:00:10", rng.choice(IDS), "-1.5") for _ in range(500)]
    text = csv_lines(readings)
    found = of(segment(tmp_path / "0.csv", text.encode()))
    assert all(good for _, _, good in found)
    assert [content.decode() + "\n" for _, content, _ in found] == [
        csv_lines([r]) for r in readings
    ]
    before = [csv_lines(readings[:at]).count("\n") for at in range(500)]
    assert [number - 2 for number, _, _ in found] == before


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "found 0 fields, expected 3"),
        (b"00:00:10,a", "found 2 fields, expected 3"),
        (b"00:00:10,a,1.0,", "found 4 fields, expected 3"),
        (b"24:00:10,a,1.0", "ts: expected a time HH:mm:ss"),
        (b"00:00:10,,1.0", "server_id: expected a server id in UTF-8"),
        (b'00:00:10,"",1.0', "server_id: expected a server id in UTF-8"),
        (b"00:00:10,a\0,1.0", "server_id: expected a server id in UTF-8"),
        (b"00:00:10,a,1", "value: expected a number as a consumer writes it, such as 12.5"),
        (b"00:00:10,a,1.", "value: expected a number"),
        (b"00:00:10,a,1000000000000.0", "value: expected a number"),
        (b"00:00:10,a,0.1234567890123456789", "value: expected a number"),
        (b"00:00:10,a,1.0 ", "value: expected a number"),
        (b"00:00:10,a,1e+16", "value: expected a number"),
        (b"00:00:10,a,1E16", "value: expected a number"),
        (b"00:00:10,a,12.5E+16", "value: expected a number"),
        (b"00:00:10,a,1E+309", "value: expected a number"),
        (b"00:00:10,a,1.E+308", "value: expected a number"),
        (b"00:00:10,a,1.7976931348623158E+308", "value: expected a number"),
        (b"00:00:10,a,-2E+308", "value: expected a number"),
        (b"00:00:10,\xed\xa0\x80,1.0", "not UTF-8"),
        (b'00:00:10,a"b,1.0', "not quoted as a consumer does it"),
        (b'00:00:10,"a"b,1.0', "',' expected after '\"'"),
        (b'00:00:10,"a,1.0', "unexpected end of data"),
    ],
)
def test_whatever_else_stands_on_a_line_is_corrupt_for_a_reason(
    tmp_path: Path, content: bytes, why: str
) -> None:
    """And the rows around it are good."""
    good = b"00:00:10,a,1.0"
    found = of(segment(tmp_path / "0.csv", b"\n".join([good, content, good, b""])))
    assert found == [(2, good, True), (3, content, False), (4, good, True)]
    assert lines.reason(content, CLOCK).startswith(why)


def test_a_day_that_does_not_exist_is_corrupt(tmp_path: Path) -> None:
    """The pattern lets it pass; whoever reads it does not."""
    body = b"2024-02-30T00:00:00Z,a,1.0\n2024-02-29T00:00:00Z,a,1.0\n"
    found = of(segment(tmp_path / "0.csv", body), ISO)
    assert [good for _, _, good in found] == [False, True]
    assert lines.reason(found[0][1], ISO).startswith("ts: expected a time YYYY")


def test_a_torn_quote_is_looked_for_only_so_far(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row is corrupt, and those behind it are read once, in order."""
    monkeypatch.setattr(lines, "_LONGEST", 100)
    rows = [b'00:00:10,"a,1.0', *(b"00:00:%02d,b,1.0" % s for s in range(60)), b'00:00:10,"c"",2.0']
    found = of(segment(tmp_path / "0.csv", b"\n".join(rows) + b"\n"))
    assert [content for _, content, _ in found] == rows
    assert [number for number, _, good in found if not good] == [2, 63]


def test_a_last_line_without_an_end_is_read(tmp_path: Path) -> None:
    """A segment whose last byte was damaged."""
    found = of(segment(tmp_path / "0.csv", b"00:00:10,a,1.0\n00:00:20,a,1.0x"))
    assert found[1] == (3, b"00:00:20,a,1.0x", False)


def test_the_copy_has_a_line_for_each_row_and_an_empty_one_for_each_corrupt_line(
    tmp_path: Path,
) -> None:
    """Header first; a line end inside an id becomes NUL."""
    body = b'00:00:10,"a\nb",1.0\nx\n00:00:10,"c\0d",1.0\n00:00:20,e,1.0\n'
    path, copy = segment(tmp_path / "0.csv", body), tmp_path / "copy.csv"
    lines.one_line_each(path, copy, CLOCK)
    assert copy.read_bytes() == (b'ts,server_id,cpu_pct\n00:00:10,"a\0b",1.0\n\n\n00:00:20,e,1.0\n')


def test_a_quote_is_found_wherever_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the last of several chunks too."""
    monkeypatch.setattr(lines, "_CHUNK", 10)
    assert not lines.has_quotes(segment(tmp_path / "0.csv", b"00:00:10,a,1.0\n"))
    assert lines.has_quotes(segment(tmp_path / "1.csv", b'00:00:10,a,1.0\n00:00:10,"'))


@pytest.mark.parametrize(("content", "wide"), [
    (b"00:00:10,a,1.0\n", False),
    (b"00:00:10,E,1.0\n", False),
    (b"00:00:10,a,5E-324\n", True),
    (b"00:00:10,a,1.0\n" * 9 + b"00:00:10,a,1E+12\n", True),
])  # fmt: skip
def test_wide_values_are_found_in_a_file_wherever_its_chunks_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, *, wide: bool
) -> None:
    """A mark of two bytes may lie across the end of a chunk."""
    path = segment(tmp_path / "0.csv", content)
    for size in (1, 2, 3, 7, 1 << 20):
        monkeypatch.setattr(lines, "_CHUNK", size)
        assert lines.may_have_wide_values(path) is wide


def test_the_form_of_a_run_is_that_of_the_first_time_in_its_segments(tmp_path: Path) -> None:
    """Whatever stands before it; none is no form."""
    empty = segment(tmp_path / "0.csv", b"")
    torn = segment(tmp_path / "1.csv", b"\0\xff,\n2024-05-01T20:52:00,a,1.0\n")
    iso = segment(tmp_path / "2.csv", b"x,a,1.0\n2024-05-01T20:52:00+02:00,a,1.0\n")
    clock = segment(tmp_path / "3.csv", b"20:52:00,a,1.0\n")
    assert lines.first_form([empty, torn]) is None
    assert lines.first_form([empty, torn, iso, clock]) is ISO
    assert lines.first_form([clock, iso]) is CLOCK
