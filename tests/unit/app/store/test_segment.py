"""Raw segments: nothing lost, nothing twice, nothing wiped, at every step of a crash."""

import csv
import errno
import itertools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from server_monitoring.errors import StorageError
from server_monitoring.host import durable
from server_monitoring.model.wire import Reading
from server_monitoring.store.segment import csv_lines
from server_monitoring.store.sidecar import read_sidecar, sidecar_path

from tests.unit.app.app_segments import (
    HEADER,
    append_and_store,
    begin,
    check,
    lines,
    open_segment,
)


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


Within = Callable[[Callable[[], object]], None]


class Crash(BaseException):
    """The process ends here."""


STEPS = ("write", "fdatasync", "write_text", "fsync", "rename", "fsync_directory")


@pytest.fixture(params=itertools.product(STEPS, ("before", "after")), ids="-".join)
def crash(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Within:
    """Return a function whose call ends the process at one step of a store, before or after it."""
    step, when = request.param
    owners = {"write_text": Path, "rename": Path, "fsync_directory": durable}
    owner: Any = owners.get(step, os)
    real = getattr(owner, step)

    def end(*args: Any, **kwargs: Any) -> None:
        if when == "after":
            real(*args, **kwargs)
        raise Crash

    def within(call: Callable[[], object]) -> None:
        monkeypatch.setattr(owner, step, end)
        with pytest.raises(Crash):
            call()
        monkeypatch.undo()

    return within


def test_a_crash_at_any_step_of_a_store_leaves_the_old_or_the_new_state(
    path: Path, crash: Within
) -> None:
    """Whole files are compared; going on from there ends with the files of an undisturbed run."""
    segment = begin(path)
    crash(lambda: append_and_store(segment))
    segment.close()
    again = open_segment(path)
    check(path, again, again.state.rows)
    if again.state.rows == 3:
        append_and_store(again)
    check(path, again, 5)
    again.close()


def test_a_crash_at_any_step_of_the_first_opening_can_be_repeated(
    path: Path, crash: Within
) -> None:
    """A segment without rows is begun again."""
    crash(lambda: open_segment(path))
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
    owner: Any = Path if step in {"write_text", "rename"} else os

    def full(*_: object, **__: object) -> None:
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
