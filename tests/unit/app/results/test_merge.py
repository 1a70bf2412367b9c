"""Tables of several consumer hosts become one, sorted by server as each of them is."""

import csv
import hashlib
import heapq
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as options
from hypothesis import strategies as st
from server_monitoring.errors import ResultsError
from server_monitoring.model.csv_text import csv_row, text_cell
from server_monitoring.results.merge import merge

COLUMNS = ["server_id", "window_start", "alert"]
HEADER = "server_id,window_start,alert\n"


def part(path: Path, *rows: str, header: str = HEADER) -> Path:
    """Write a table and return its path."""
    path.write_text(header + "".join(f"{row}\n" for row in rows), encoding="utf-8", newline="")
    return path


def merged(parts: list[Path], path: Path) -> str:
    """Merge parts as they came from the analysis; return the table's sum."""
    sums = [hashlib.sha256(file.read_bytes()).hexdigest() for file in parts]
    return merge(parts, path, COLUMNS, sums[::-1])


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
@options(deadline=None)
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
    sums = [hashlib.sha256(file.read_bytes()).hexdigest() for file in (one, two)]
    with pytest.raises(ResultsError, match=f"sha256 {sums[0][:12]}... found, expected "):
        merge([one], tmp_path / "out.csv", COLUMNS, sums)
    part(two, "b,2,")
    with pytest.raises(ResultsError, match="as the analysis told"):
        merge([one, two], tmp_path / "out.csv", COLUMNS, sums)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("row", ['"a,1,', "a", "\udcff,1,"])
def test_a_part_that_is_no_table_is_refused(tmp_path: Path, row: str) -> None:
    """A quote that never ends, a line without a comma, a name that is not UTF-8."""
    one, two = part(tmp_path / "1", "a,1,"), tmp_path / "2"
    two.write_bytes(HEADER.encode() + row.encode(errors="surrogateescape") + b"\n")
    with pytest.raises(ResultsError, match="a part is not a table"):
        merged([one, two], tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
