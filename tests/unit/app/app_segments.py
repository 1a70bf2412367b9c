"""A segment with three stored rows, for tests of what becomes of it."""

import json
from pathlib import Path

from server_monitoring.model.wire import Reading
from server_monitoring.store.segment import Segment, csv_lines
from server_monitoring.store.sidecar import Sidecar, read_sidecar

COLUMN = "cpu_pct"
HEADER = "ts,server_id,cpu_pct\n"
FILES = ["0.csv", "0.json", "0.malformed.jsonl"]


def fresh(offset: int = 100) -> Sidecar:
    """Return the sidecar of a new segment."""
    return Sidecar("r1", "topic-cpu", "id-1", 0, offset)


def open_segment(path: Path) -> Segment:
    """Open the segment as a consumer does."""
    return Segment(path, COLUMN, fresh())


def lines(first: int, count: int) -> str:
    """Return `count` numbered rows."""
    return csv_lines(Reading("00:00:00", f"s{i}", f"{i}.0") for i in range(first, first + count))


def entry(offset: int) -> str:
    """Return the line of a malformed record without a value."""
    return json.dumps({"offset": offset, "reason": "why", "value_base64": ""}) + "\n"


def begin(path: Path) -> Segment:
    """Return a segment with three rows and a malformed record, stored."""
    segment = open_segment(path)
    segment.append(lines(0, 3), 3, 103, 3)
    segment.set_aside(101, "why", None)
    segment.store()
    return segment


def append_and_store(segment: Segment) -> None:
    """Store two more rows and a malformed record."""
    segment.append(lines(3, 2), 2, 105, 5)
    segment.set_aside(104, "why", None)
    segment.store()


def check(path: Path, segment: Segment, rows: int) -> None:
    """Compare all of a segment's files with those of `rows` stored rows."""
    state = segment.state
    malformed = {3: entry(101), 5: entry(101) + entry(104)}[rows]
    assert path.read_text() == HEADER + lines(0, rows)
    assert path.with_suffix(".malformed.jsonl").read_text() == malformed
    assert read_sidecar(path) == state
    assert (state.offset, state.rows, state.last_row) == (100 + rows, rows, rows)
    assert (state.malformed, state.malformed_bytes) == (malformed.count("\n"), len(malformed))
    assert sorted(p.name for p in path.parent.iterdir()) == FILES
