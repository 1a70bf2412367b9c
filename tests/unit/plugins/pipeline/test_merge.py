"""Tables of several consumer hosts become one, sorted by server as each of them is."""

from pathlib import Path

import pytest
from ansible_collections.server_monitoring.cluster.plugins.modules import pipeline_merge as module

HEADER = "server_id,window_start\n"


def part(folder: Path, name: str, *rows: str) -> Path:
    """Write a table and return its path."""
    path = folder / name
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def test_rows_are_sorted_by_server_and_keep_their_order(tmp_path: Path) -> None:
    """Servers of both parts interleave by the bytes of their names."""
    parts = [part(tmp_path, "1", "B,2", "B,1", "ä,1"), part(tmp_path, "2", '"A,1",1', "a,1")]
    rows = module.merge(parts, tmp_path / "out.csv")
    written = (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert written == HEADER + '"A,1",1\nB,2\nB,1\na,1\nä,1\n'
    assert rows == 5


def test_no_part_is_an_error_that_leaves_no_table(tmp_path: Path) -> None:
    """A group without any table is refused."""
    with pytest.raises(module.MergeError, match="no table came back"):
        module.merge([], tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_parts_with_other_columns_are_refused(tmp_path: Path) -> None:
    """Tables of another group cannot be mixed in."""
    other = tmp_path / "other"
    other.write_text("server_id,alert\n", encoding="utf-8")
    with pytest.raises(module.MergeError, match="expected"):
        module.merge([part(tmp_path, "1", "a,1"), other], tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
