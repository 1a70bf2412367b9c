"""A segment's files as version 0.1.0 wrote them: gone on with as they stand, written alike."""

from pathlib import Path

import pytest
from server_monitoring.store.segment import Segment, csv_lines
from server_monitoring.store.sidecar import Sidecar

SEGMENT = 'ts,server_id,cpu_pct\n20:52:00,"web,1",3.5\n20:52:10,dö,0.25\n'
SIDECAR = """\
{
  "run_id": "r1",
  "topic": "topic-cpu",
  "topic_id": "Nn3vVYzrRnyRXfRvvUtBJQ",
  "partition": 0,
  "offset": 13,
  "bytes": 60,
  "rows": 2,
  "last_row": 3,
  "foreign": 0,
  "malformed": 1,
  "duplicates": 0,
  "malformed_bytes": 70
}
"""
MALFORMED = '{"offset": 11, "reason": "not a JSON object", "value_base64": "e10="}\n'
FILES = {"0.csv": SEGMENT, "0.json": SIDECAR, "0.malformed.jsonl": MALFORMED}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the segment is."""
    return tmp_path / "0.csv"


def open_segment(path: Path) -> Segment:
    """Open the segment as a consumer does that finds the partition's first offset to be 10."""
    return Segment(path, "cpu_pct", Sidecar("r1", "topic-cpu", "Nn3vVYzrRnyRXfRvvUtBJQ", 0, 10))


def written(folder: Path) -> dict[str, str]:
    """Return the files of a folder."""
    return {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}


def test_a_segment_of_the_earlier_version_goes_on(path: Path) -> None:
    """At its offset; what was not stored yet is cut."""
    for name, text in FILES.items():
        (path.parent / name).write_text(text, encoding="utf-8")
    with path.open("a") as torn:
        torn.write("20:52:20,to")
    segment = open_segment(path)
    assert segment.state == Sidecar(
        run_id="r1",
        topic="topic-cpu",
        topic_id="Nn3vVYzrRnyRXfRvvUtBJQ",
        partition=0,
        offset=13,
        bytes=60,
        rows=2,
        last_row=3,
        malformed=1,
        malformed_bytes=70,
    )
    segment.close()
    assert written(path.parent) == FILES


def test_the_earlier_version_finds_its_files_again(path: Path) -> None:
    """Byte for byte, and no others."""
    segment = open_segment(path)
    lines = csv_lines([("20:52:00", "web,1", "3.5"), ("20:52:10", "dö", "0.25")])
    segment.append(lines, 2, 13, 3)
    segment.set_aside(11, "not a JSON object", b"{]")
    segment.store()
    segment.close()
    assert written(path.parent) == FILES
