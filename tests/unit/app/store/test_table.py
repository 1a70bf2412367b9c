"""Joining the sorted parts of a table."""

import csv
import hashlib
import random
from pathlib import Path

import pytest
from server_monitoring.errors import StorageError
from server_monitoring.model.csv_text import LINE_END_STAND_IN, csv_field
from server_monitoring.store.table import join

IDS = [
    "a",
    "a b",
    "a,b",
    'a"',
    '"',
    '""',
    "b\nc",
    "b\n",
    "Z",
    "ä",
    "\U0001f4a1",
    "\ufffd",
    "a1",
    ",",
]


def write_part(path: Path, servers: list[str]) -> None:
    """Write three rows of each server, sorted, as Spark does."""
    text = "".join(
        f"{csv_field(s).replace(chr(10), LINE_END_STAND_IN)},00:00:{i}0,x\n"
        for s in sorted(servers)
        for i in range(3)
    )
    path.write_text(text, encoding="utf-8", newline="")


@pytest.mark.parametrize("parts", [1, 2, 5, 20])
def test_parts_join_to_one_table_sorted_by_server_id(tmp_path: Path, parts: int) -> None:
    """Whatever servers a part got, and if it got none."""
    shuffled = random.Random(parts).sample(IDS, len(IDS))
    files = [tmp_path / f"part-{i}" for i in range(parts)]
    for i, file in enumerate(files):
        write_part(file, shuffled[i::parts])
    table = tmp_path / "table.csv"
    sha256 = join(files, table, "server_id,window_start,x\n")
    with table.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines, strict=True))
    assert rows == [
        ["server_id", "window_start", "x"],
        *([s, f"00:00:{i}0", "x"] for s in sorted(IDS) for i in range(3)),
    ]
    assert sha256 == hashlib.sha256(table.read_bytes()).hexdigest()


def test_the_old_table_stays_if_a_part_cannot_be_read(tmp_path: Path) -> None:
    """The table is replaced whole or not at all, and no temporary file is left."""
    table = tmp_path / "table.csv"
    table.write_text("old\n")
    with pytest.raises(StorageError, match="No such file"):
        join([tmp_path / "part-0"], table, "new\n")
    assert table.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [table]
