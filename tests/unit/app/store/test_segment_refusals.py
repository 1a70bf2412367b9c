"""Segments that contradict their sidecars, malformed records, and a second writer."""

import base64
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from server_monitoring.errors import StorageError
from server_monitoring.store import malformed
from server_monitoring.store.sidecar import read_sidecar, sidecar_path

from tests.unit.app.app_segments import entry, lines, open_segment


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the segment is."""
    return tmp_path / "raw" / "topic-cpu" / "0.csv"


def stored(path: Path) -> None:
    """Make a segment of three rows."""
    segment = open_segment(path)
    segment.append(lines(0, 3), 3, 103, 3)
    segment.store()
    segment.close()


def cut(path: Path) -> None:
    """Shorten the segment below what its sidecar says."""
    os.truncate(path, path.stat().st_size - 1)


def other_header(path: Path) -> None:
    """Make it a segment of another column."""
    path.write_text(path.read_text().replace("cpu", "gpu"))


def edit_sidecar(path: Path, **changes: object) -> None:
    """Change fields of the sidecar."""
    content = json.loads(sidecar_path(path).read_text()) | changes
    sidecar_path(path).write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: sidecar_path(path).unlink(), "without the sidecar"),
        (cut, "expected at least the"),
        (other_header, "beginning with ts,server_id,cpu_pct"),
        (lambda path: edit_sidecar(path, run_id="r2"), "expected .'r1', 'topic-cpu', 0.; move"),
        (lambda path: edit_sidecar(path, topic_id="id-0"), "id-0, but topic topic-cpu is now id-1"),
        (lambda path: edit_sidecar(path, bytes="9"), "bytes: found '9'"),
        (lambda path: edit_sidecar(path, topic_id=9), "topic_id: found 9"),
        (lambda path: edit_sidecar(path, malformed_bytes=9), "0.malformed.jsonl: found 0 bytes"),
        (lambda path: edit_sidecar(path, more=1), "expected a segment's sidecar"),
        (lambda path: sidecar_path(path).write_text("{"), "expected a segment's sidecar"),
        (lambda path: path.unlink(), "found 0 bytes"),
    ],
)
def test_a_segment_that_contradicts_its_sidecar_is_refused_and_left_alone(
    path: Path,
    damage: Callable[[Path], object],
    message: str,
) -> None:
    """Never wiped: a person decides."""
    stored(path)
    damage(path)
    before = path.read_bytes() if path.exists() else b""
    with pytest.raises(StorageError, match=message):
        open_segment(path)
    assert path.read_bytes() == before


def test_malformed_records_that_lost_their_sidecar_are_refused(path: Path) -> None:
    """Also where the segment itself has no row."""
    segment = open_segment(path)
    segment.set_aside(100, "why", b"x")
    segment.store()
    segment.close()
    sidecar_path(path).unlink()
    before = path.with_suffix(".malformed.jsonl").read_text()
    with pytest.raises(StorageError, match="without the sidecar"):
        open_segment(path)
    assert path.with_suffix(".malformed.jsonl").read_text() == before


def test_of_a_long_malformed_record_the_beginning_is_kept(path: Path) -> None:
    """With its length; twenty records of the largest size would else fill a disk with megabytes."""
    segment = open_segment(path)
    for offset in range(100, 122):
        segment.set_aside(offset, "no number " * 10_000, b"x" * 900_000)
    segment.store()
    segment.close()
    found = path.with_suffix(".malformed.jsonl").read_text()
    assert len(found) < 22 * 6_000
    first = json.loads(found.splitlines()[0])
    assert base64.b64decode(first["value_base64"]) == b"x" * malformed.SHOWN_BYTES
    assert first["value_bytes"] == 900_000


def test_only_the_first_malformed_records_are_kept_and_all_are_counted(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood of them cannot fill the disk."""
    monkeypatch.setattr(malformed, "SHOWN", 2)
    segment = open_segment(path)
    for offset in (100, 101, 102):
        segment.set_aside(offset, "why", None)
    segment.store()
    segment.close()
    assert path.with_suffix(".malformed.jsonl").read_text() == entry(100) + entry(101)
    assert read_sidecar(path).malformed == 3


def test_a_segment_has_one_writer(path: Path) -> None:
    """The second is told whom to stop, and the first goes on."""
    segment = open_segment(path)
    with pytest.raises(StorageError, match="another process writes it"):
        open_segment(path)
    segment.append(lines(0, 1), 1, 101, 1)
    segment.store()
    segment.close()
    open_segment(path).close()
    assert asdict(read_sidecar(path))["rows"] == 1
