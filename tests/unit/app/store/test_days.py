"""A live partition's segments: whatever the order of days, whenever it is killed, each row once."""

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from server_monitoring.errors import StorageError
from server_monitoring.host.runs import Day
from server_monitoring.store import days, journal, segment
from server_monitoring.store.days import DaySegments
from server_monitoring.store.journal import Journal, journal_path
from server_monitoring.store.segment import csv_lines

from tests.support.live_rows import stored

TOPIC = "topic-cpu"


class Killed(BaseException):
    """The process is gone."""


class Mortal:
    """Steps that touch the disk, of which one is the last: it is done by half, or not at all."""

    def __init__(self, patch: pytest.MonkeyPatch, last: int, *, half: bool) -> None:
        """Kill at the step `last`."""
        self.left = last
        self._half = half
        for module, name in (
            (segment, "write_all"),
            (segment, "write_sidecar"),
            (days, "write_sidecar"),
            (days, "write_journal"),
        ):
            patch.setattr(module, name, self._step(getattr(module, name)))

    def _step(self, real: Callable[..., None]) -> Callable[..., None]:
        def step(*args: object) -> None:
            self.left -= 1
            if self.left < 0:
                if self._half and isinstance(args[1], bytes):
                    real(args[0], args[1][: len(args[1]) // 2])
                raise Killed
            real(*args)

        return step


def opened(live: Path) -> DaySegments:
    """Open the partition as a consumer does."""
    return DaySegments(live, "cpu_pct", Journal(TOPIC, "id-1", 0, 0))


def take(live: Path, rows: list[int], batch: int) -> None:
    """Store rows, numbered by their offsets, each of the day of its number; a store each batch."""
    segments = opened(live)
    try:
        for first in range(segments.state.offset, len(rows), batch):
            for offset in range(first, min(first + batch, len(rows))):
                line = csv_lines([("t", "s", str(offset))])
                name = f"2026-11-{rows[offset]:02d}/raw"
                segments.append(name, line, 1, offset + 1, 1)
            segments.moved(min(first + batch, len(rows)))
            segments.store()
    finally:
        segments.close()


@settings(max_examples=40)
@given(
    rows=st.lists(st.integers(1, 7), min_size=1, max_size=12),
    batch=st.integers(1, 4),
    deaths=st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=4),
)
def test_each_row_is_stored_once_whatever_the_order_of_days_and_whenever_it_is_killed(
    rows: list[int], batch: int, deaths: list[tuple[int, bool]]
) -> None:
    """At any write, that is done by half or not at all; more days than may be open, too."""
    with TemporaryDirectory() as directory:
        live = Path(directory)
        for last, half in deaths:
            with pytest.MonkeyPatch.context() as patch:
                Mortal(patch, last, half=half)
                try:
                    take(live, rows, batch)
                except Killed:
                    continue
        take(live, rows, batch)
        wanted: dict[str, list[str]] = {}
        for offset, day in enumerate(rows):
            wanted.setdefault(f"2026-11-{day:02d}", []).append(str(offset))
        found = {day: [row[2] for row in of_day] for day, of_day in stored(live, TOPIC).items()}
        assert {day: of_day for day, of_day in found.items() if of_day} == wanted
        state = journal.read_journal(journal_path(live, TOPIC, 0))
        assert state is not None
        assert (state.offset, state.rows) == (len(rows), len(rows))


def test_of_many_days_few_stay_open_and_none_for_long(tmp_path: Path) -> None:
    """A removed folder is then not written to any more, and not missed at the next start."""
    now = [0.0]
    segments = DaySegments(tmp_path, "cpu_pct", Journal(TOPIC, "id-1", 0, 0), lambda: now[0])
    for offset in range(9):
        segments.append(f"2026-11-0{offset + 1}/raw", "t,s,1.0\n", 1, offset + 1, 1)
    segments.moved(9)
    assert len(segments._open) == days.OPEN_SEGMENTS  # noqa: SLF001 - files that are open
    now[0] += days.IDLE_SECONDS + 1
    segments.store()
    assert not segments._open  # noqa: SLF001
    segments.close()


def test_what_a_journal_says_of_a_removed_day_is_not_missed(tmp_path: Path) -> None:
    """Retention removes a day as a whole; a segment alone that is gone is refused."""
    take(tmp_path, [1, 1, 2], 3)
    (tmp_path / "2026-11-01/raw" / TOPIC / "0.csv").rename(tmp_path / "kept.csv")
    with pytest.raises(StorageError, match=r"0\.csv: found 0 bytes, expected at least the"):
        opened(tmp_path)
    for path in sorted((tmp_path / "2026-11-01").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (tmp_path / "2026-11-01").rmdir()
    segments = opened(tmp_path)
    assert segments.state.offset == 3
    segments.close()


def test_all_users_of_the_group_share_a_day_and_one_alone_its_rows(tmp_path: Path) -> None:
    """As in a run's folder: each makes files there, and removes no other's."""
    live = tmp_path / "live"
    live.mkdir()
    before = os.umask(0o027)
    try:
        take(live, [1], 1)
        Day.of(tmp_path, date(2026, 11, 3)).create()
    finally:
        os.umask(before)
    day = live / "2026-11-01"
    shared = [day, day / "raw", live / "2026-11-03"]
    assert [path.stat().st_mode & 0o7777 for path in shared] == [0o1770] * 3
    assert (day / "raw" / TOPIC).stat().st_mode & 0o7777 == 0o750


def test_one_process_has_a_partition(tmp_path: Path) -> None:
    """A second one is told so."""
    segments = opened(tmp_path)
    with pytest.raises(StorageError, match=r"0\.lock: another process stores this partition"):
        opened(tmp_path)
    segments.close()
    opened(tmp_path).close()


@pytest.mark.parametrize(
    ("fresh", "message"),
    [
        (Journal(TOPIC, "id-2", 0, 0), "deleted and created again, so offset 3 means nothing"),
    ],
)
def test_another_topic_is_refused(tmp_path: Path, fresh: Journal, message: str) -> None:
    """With both ids, and what to do."""
    take(tmp_path, [1, 1, 2], 3)
    with pytest.raises(StorageError, match=message):
        DaySegments(tmp_path, "cpu_pct", fresh)
    opened(tmp_path).close()


@pytest.mark.parametrize("content", ["", "[]", '{"topic": 1}', '{"topic": "topic-cpu"}'])
def test_a_journal_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    """It says how far the partition is stored, so nothing is assumed instead."""
    path = journal_path(tmp_path, TOPIC, 0)
    take(tmp_path, [1], 1)
    path.write_text(content)
    with pytest.raises(StorageError, match="expected how far the partition was read"):
        opened(tmp_path)


def test_sidecars_in_a_journal_are_sidecars(tmp_path: Path) -> None:
    """Other content is refused in one line."""
    take(tmp_path, [1], 1)
    path = journal_path(tmp_path, TOPIC, 0)
    path.write_text(path.read_text().replace('"rows": 1,\n', "", 1).replace("last_row", "row"))
    with pytest.raises(StorageError, match="expected the sidecars of segments"):
        opened(tmp_path)
