"""Raw segments: nothing lost, nothing twice, nothing wiped, at every step of a crash."""

import csv
import errno
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from server_monitoring import aside, durable
from server_monitoring.errors import StorageError
from server_monitoring.records import Reading
from server_monitoring.segment import Segment, csv_lines
from server_monitoring.sidecar import Sidecar, read_sidecar, sidecar_path

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


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the segment is."""
    return tmp_path / "raw" / "topic-cpu" / "0.csv"


def test_a_new_segment_has_header_and_sidecar_before_anything_is_read(path: Path) -> None:
    """Readiness means that the start offset is on disk."""
    segment = open_segment(path)
    assert path.read_text() == HEADER
    assert json.loads(sidecar_path(path).read_text()) == {
        "run_id": "r1", "topic": "topic-cpu", "topic_id": "id-1", "partition": 0, "offset": 100,
        "bytes": len(HEADER), "rows": 0, "last_row": 0,
        "foreign": 0, "malformed": 0, "duplicates": 0, "malformed_bytes": 0,
    }  # fmt: skip
    segment.close()


def test_stored_rows_survive_and_unstored_ones_are_cut_on_resume(path: Path) -> None:
    """What came after the last store is read again from its offset."""
    segment = open_segment(path)
    segment.append(lines(0, 3), 3, 103, 3)
    segment.store()
    segment.append(lines(3, 2), 2, 105, 5)
    segment.close()
    again = open_segment(path)
    assert (again.state.offset, again.state.rows) == (103, 3)
    assert path.read_text() == HEADER + lines(0, 3)
    again.append(lines(3, 1), 1, 104, 4)
    again.store()
    assert path.read_text() == HEADER + lines(0, 4)
    assert read_sidecar(path).bytes == path.stat().st_size
    again.close()


def test_server_ids_of_every_kind_read_back_from_the_csv(path: Path) -> None:
    """Commas, quotes, line ends, unicode and blanks."""
    ids = ["a,b", 'say "hi"', "two\nlines", "cr\rlf\r\n", "Zürich 💡", " lead", "#x", '"', ","]
    segment = open_segment(path)
    segment.append(csv_lines(Reading("00:00:00", i, "1.0") for i in ids), len(ids), 200, 9)
    segment.store()
    segment.close()
    with path.open(encoding="utf-8", newline="") as file:
        assert [row[1] for row in csv.reader(file, strict=True)][1:] == ids


CrashAt = Callable[[str, bool], None]


class Crash(BaseException):
    """The process ends here."""


STEPS = ("write", "fdatasync", "write_text", "fsync", "rename", "fsync_directory")


@pytest.fixture
def crash_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[CrashAt]:
    """Return a function that makes one step of a store end the process, before or after it."""

    def arm(step: str, after: bool) -> None:  # noqa: FBT001 - parametrized
        owner: Any = {"write_text": durable, "rename": Path, "fsync_directory": durable}.get(
            step, os
        )
        real = getattr(owner, step)

        def crash(*args: Any, **kwargs: Any) -> None:
            if after:
                real(*args, **kwargs)
            raise Crash

        monkeypatch.setattr(owner, step, crash)

    yield arm
    monkeypatch.undo()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_a_crash_at_any_step_of_a_store_leaves_the_old_or_the_new_state(
    path: Path,
    crash_at: CrashAt,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    *,
    after: bool,
) -> None:
    """Whole files are compared; going on from there ends with the files of an undisturbed run."""
    segment = begin(path)
    crash_at(step, after)
    with pytest.raises(Crash):
        append_and_store(segment)
    monkeypatch.undo()
    segment.close()
    again = open_segment(path)
    check(path, again, again.state.rows)
    if again.state.rows == 3:
        append_and_store(again)
    check(path, again, 5)
    again.close()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_a_crash_at_any_step_of_the_first_opening_can_be_repeated(
    path: Path,
    crash_at: CrashAt,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    *,
    after: bool,
) -> None:
    """A segment without rows is begun again."""
    crash_at(step, after)
    with pytest.raises(Crash):
        open_segment(path)
    monkeypatch.undo()
    again = open_segment(path)
    assert path.read_text() == HEADER
    assert read_sidecar(path) == again.state
    again.close()


def test_everything_is_on_disk_before_the_sidecar_that_counts_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut keeps only what was synced, so the order of a store's steps is the promise."""
    segment = begin(path)
    steps: list[str] = []

    def noted(step: str, real: Any) -> Any:
        def call(target: Any, *args: Any) -> Any:
            named = target if step == "rename" else Path(f"/proc/self/fd/{target}").readlink()
            steps.append(f"{step} {named.name}")
            return real(target, *args)

        return call

    for owner, step in ((os, "write"), (os, "fdatasync"), (os, "fsync"), (Path, "rename")):
        monkeypatch.setattr(owner, step, noted(step, getattr(owner, step)))
    append_and_store(segment)
    monkeypatch.undo()
    segment.close()
    assert steps == [
        "write 0.csv",
        "write 0.malformed.jsonl",
        "fdatasync 0.csv",
        "fdatasync 0.malformed.jsonl",
        "fsync .0.json.tmp",
        "rename .0.json.tmp",
        "fsync topic-cpu",
    ]


@pytest.mark.parametrize("step", ["write", "fdatasync", "write_text", "fsync", "rename"])
def test_a_full_disk_is_a_storage_error_and_what_was_stored_stays_valid(
    path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """At any step; after space was made, the same segment goes on."""
    segment = begin(path)
    owner: Any = {"write_text": durable, "rename": Path}.get(step, os)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(owner, step, full)
    with pytest.raises(StorageError, match="No space left on device; free space"):
        append_and_store(segment)
    monkeypatch.undo()
    segment.close()
    again = open_segment(path)
    check(path, again, 3)
    append_and_store(again)
    check(path, again, 5)
    again.close()


def test_a_write_that_the_kernel_cuts_short_is_continued(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """os.write may write less than it was given."""
    segment = open_segment(path)
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:7]))
    segment.append(lines(0, 20), 20, 120, 20)
    segment.store()
    assert path.read_text() == HEADER + lines(0, 20)
    segment.close()


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


def test_only_the_first_malformed_records_are_kept_and_all_are_counted(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flood of them cannot fill the disk."""
    monkeypatch.setattr(aside, "SHOWN", 2)
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
