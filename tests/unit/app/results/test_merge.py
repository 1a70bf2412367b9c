"""Tables of several consumer hosts become one, sorted by server as each of them is."""

import csv
import hashlib
import heapq
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from server_monitoring.errors import ResultsError
from server_monitoring.model.csv_text import csv_row, text_cell
from server_monitoring.results.merge import Told, merge

COLUMNS = ["server_id", "window_start", "alert"]
HEADER = "server_id,window_start,alert\n"


def part(path: Path, *rows: str, header: str = HEADER) -> Path:
    """Write a table and return its path."""
    path.write_text(header + "".join(f"{row}\n" for row in rows), encoding="utf-8", newline="")
    return path


def merged(parts: list[Path], path: Path) -> str:
    """Merge parts as they came from the analysis; return the table's sum."""
    return merge(parts, path, COLUMNS, [told(file) for file in parts[::-1]])


def told(file: Path) -> Told:
    """Return what the Spark job says of a table that it wrote."""
    with file.open(encoding="utf-8", errors="replace", newline="") as table:
        rows = len(list(csv.reader(table))) - 1
    return Told(hashlib.sha256(file.read_bytes()).hexdigest(), rows)


def test_rows_are_sorted_by_server_and_keep_their_order(tmp_path: Path) -> None:
    """Servers of both parts interleave by the bytes of their names."""
    one = part(tmp_path / "1", "B,2,", "B,1,x", "ä,1,")
    two = part(tmp_path / "2", '"A,1",1,"x, ""y"""', '"C\nD",1,', '"C\nD",2,', "a,1,")
    sha256 = merged([one, two], tmp_path / "out.csv")
    written = (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert written == HEADER + (
        '"A,1",1,"x, ""y"""\nB,2,\nB,1,x\n"C\nD",1,\n"C\nD",2,\na,1,\nä,1,\n'
    )
    assert sha256 == hashlib.sha256(written.encode()).hexdigest()


def test_one_part_is_the_table(tmp_path: Path) -> None:
    """Byte for byte."""
    one = part(tmp_path / "1", '"a\r",1,', "b,1,")
    sha256 = merged([one], tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == one.read_bytes()
    assert sha256 == hashlib.sha256(one.read_bytes()).hexdigest()


@given(ids=st.sets(st.text(st.sampled_from("ab,\"\n'=ä\U0001f4a1"), min_size=1), max_size=12))
def test_any_servers_come_in_the_order_of_a_merge_by_rows(
    tmp_path_factory: pytest.TempPathFactory, ids: set[str]
) -> None:
    """Whatever their names are, and wherever they are: as if each row were read."""
    folder = tmp_path_factory.mktemp("merge")
    cells = sorted(map(text_cell, ids))
    tables = [[[cell, str(i), ""] for cell in cells[n::3] for i in range(2)] for n in range(3)]
    parts = [
        part(folder / str(n), *(csv_row(row)[:-1] for row in rows)) for n, rows in enumerate(tables)
    ]
    merged(parts, folder / "out.csv")
    with (folder / "out.csv").open(encoding="utf-8", newline="") as table:
        found = list(csv.reader(table, strict=True))
    assert found == [COLUMNS, *heapq.merge(*tables, key=lambda row: row[0].encode())]


def test_no_part_is_an_error_that_leaves_no_table(tmp_path: Path) -> None:
    """A group without any table is refused."""
    with pytest.raises(ResultsError, match=r"out\.csv: no table came back from any host"):
        merged([], tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("count", [1, 2])
def test_parts_with_other_columns_are_refused(tmp_path: Path, count: int) -> None:
    """Tables of another group cannot be mixed in."""
    other = part(tmp_path / "other", header="server_id,alert\n")
    parts = [other, part(tmp_path / "1", "a,1,")][:count]
    with pytest.raises(ResultsError, match=r"other: header 'server_id,alert\\n' found, expected"):
        merged(parts, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_parts_that_are_not_those_of_the_analysis_are_refused(tmp_path: Path) -> None:
    """One that was cut, one of another run, or one too few."""
    one, two = part(tmp_path / "1", "a,1,"), part(tmp_path / "2", "b,1,")
    jobs = [told(one), told(two)]
    found = f"found sha256 {jobs[0].sha256[:12]}... of 1 rows, expected sha256 "
    with pytest.raises(ResultsError, match=re.escape(found)):
        merge([one], tmp_path / "out.csv", COLUMNS, jobs)
    part(two, "b,2,")
    with pytest.raises(ResultsError, match="not those that the Spark jobs wrote"):
        merge([one, two], tmp_path / "out.csv", COLUMNS, jobs)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
def test_a_part_with_another_number_of_rows_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    """Also where its sum is as told; line ends in quotes are no ends of rows."""
    monkeypatch.setattr("server_monitoring.results.merge._CHUNK", chunk)
    one = part(tmp_path / "1", '"a\n""\nb",1,', "c,1,")
    assert merged([one], tmp_path / "out.csv") == told(one).sha256
    (tmp_path / "out.csv").unlink()
    with pytest.raises(ResultsError, match=r"of 2 rows, expected sha256 .* of 3 rows; run the"):
        merge([one], tmp_path / "out.csv", COLUMNS, [told(one)._replace(windows=3)])
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("row", ['"a,1,', "a", "\udcff,1,"])
def test_a_part_that_is_no_table_is_refused(tmp_path: Path, row: str) -> None:
    """A quote that never ends, a line without a comma, a name that is not UTF-8."""
    one, two = part(tmp_path / "1", "a,1,"), tmp_path / "2"
    two.write_bytes(HEADER.encode() + row.encode(errors="surrogateescape") + b"\n")
    jobs = [told(one), told(two)._replace(windows=0 if row.startswith('"') else 1)]
    with pytest.raises(ResultsError, match="a part is not a table"):
        merge([one, two], tmp_path / "out.csv", COLUMNS, jobs)
    assert not (tmp_path / "out.csv").exists()
