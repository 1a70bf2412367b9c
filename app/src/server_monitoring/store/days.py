"""The rows of one live topic-partition, in segments by the UTC day of each row.

`live/<day>/raw/<topic>/<partition>.csv` is a segment as a run's. Rows that came too late or too
early to count live stand in `live/<day>/untimely/<topic>/<partition>.csv` as well.

Guarantee: after a crash at any point, the valid parts of all days' segments together are exactly
the rows of all offsets from the first start up to, not including, the journal's `offset`;
reopening cuts what follows, so no row is lost or stored twice, whatever the order of days. A
store syncs the segments, then replaces the journal, which holds the sidecars of all segments that
changed, and then these sidecars; reopening repeats the last step. Condition: one writer (a lock
is held) and a disk that keeps what it has synced. A folder of a day that was removed is not
missed: retention removes it as a whole.
"""

import contextlib
import os
import time
from collections.abc import Callable, Collection
from dataclasses import asdict
from pathlib import Path

from server_monitoring.errors import StorageError
from server_monitoring.host.durable import storage_error
from server_monitoring.host.lock import open_locked
from server_monitoring.host.runs import shared_folder
from server_monitoring.model.names import LIVE_RUN
from server_monitoring.store.journal import (
    Journal,
    journal_path,
    read_journal,
    sidecars,
    write_journal,
)
from server_monitoring.store.segment import Segment
from server_monitoring.store.sidecar import Sidecar, write_sidecar

RAW, UNTIMELY = "raw", "untimely"
# Folders of days: a clock that is far off makes no more of them.
MOST_DAYS = 100
# Of a partition; more are open only while one batch is taken.
OPEN_SEGMENTS = 4
# A segment is closed after so long without a row, so that retention may remove its folder.
IDLE_SECONDS = 60.0


class Days:
    """The folders of days of one host: those that are there, and whether there may be more."""

    def __init__(self, live: Path) -> None:
        """Look into the folder of all days."""
        self._live = live
        self.look()

    def look(self) -> None:
        """Look again, once all rows are written: retention may have removed some."""
        self._known = {path.name for path in self._live.glob("????-??-??")}

    def take(self, day: str, near: Collection[str]) -> bool:
        """Return whether rows of a day may be stored: it has a folder, or there may be one more.

        Those `near` to now always may.
        """
        if day in self._known:
            return True
        if day not in near and len(self._known) >= MOST_DAYS:
            return False
        self._known.add(day)
        return True


class DaySegments:
    """The segments of a topic-partition, by name: `<day>/raw` or `<day>/untimely`."""

    def __init__(
        self,
        live: Path,
        column: str,
        fresh: Journal,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the journal below `live`, or create it as `fresh`; cut what it does not say.

        Raises:
            StorageError: the disk is full, another process has the partition open, or files
                contradict each other.

        """
        self.path = journal_path(live, fresh.topic, fresh.partition)
        self._live = live
        self._column = column
        self._clock = clock
        self._open: dict[str, Segment] = {}
        self._used: dict[str, float] = {}
        self.dirty = False
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(self.path, error) from error
        lock = self.path.with_suffix(".lock")
        self._lock = open_locked(lock, "stores this partition; stop that consumer first")
        try:
            self.state = self._resume(fresh)
        except BaseException:
            self.close()
            raise

    def _resume(self, fresh: Journal) -> Journal:
        state = read_journal(self.path)
        if state is None:
            write_journal(self.path, fresh)
            return fresh
        if (state.topic, state.partition) != (fresh.topic, fresh.partition):
            raise StorageError(
                f"{self.path}: found topic, partition {(state.topic, state.partition)}, expected "
                f"{(fresh.topic, fresh.partition)}; restore it"
            )
        if state.topic_id != fresh.topic_id:
            raise StorageError(
                f"{self.path}: found topic id {state.topic_id}, but topic {fresh.topic} is now "
                f"{fresh.topic_id}: it was deleted and created again, so offset {state.offset} "
                "means nothing in it; move this file away to store the new topic from its "
                "beginning (the days that are stored stay)"
            )
        for name, sidecar in sidecars(self.path, state).items():
            if self._segment_path(name).parents[2].exists():
                write_sidecar(self._segment_path(name), sidecar)
                self._segment(name)
        return state

    def _segment_path(self, name: str) -> Path:
        return self._live / name / self.path.parent.name / f"{self.path.stem}.csv"

    def _segment(self, name: str) -> Segment:
        self._used[name] = self._clock()
        if name not in self._open:
            # The journal alone knows offsets and the topic's id.
            fresh = Sidecar(LIVE_RUN, self.path.parent.name, "", int(self.path.stem), 0)
            path = self._segment_path(name)
            for folder in (path.parents[2], path.parents[1]):
                shared_folder(folder)
            self._open[name] = Segment(path, self._column, fresh)
        return self._open[name]

    def append(self, name: str, lines: str, rows: int, offset: int, last_row: int) -> int:
        """Append rows to a segment, and return their bytes; see `Segment.append`."""
        if name.endswith(RAW):
            self.state.rows += rows
        else:
            self.state.untimely += rows
        return self._segment(name).append(lines, rows, offset, last_row)

    def set_aside(self, day: str, offset: int, kind: str, reason: str, value: bytes | None) -> None:
        """Count a record that is not stored as of its `kind`; keep the first ones with a day."""
        self.state.count(kind)
        self._segment(f"{day}/{RAW}").set_aside(offset, reason, value)

    def moved(self, offset: int) -> None:
        """Take all records before `offset` as done; only then may `store` be called."""
        self.state.offset = offset
        self.dirty = True
        if len(self._open) > OPEN_SEGMENTS:
            self.store()

    def store(self) -> None:
        """Make everything so far valid, and close the segments that are not needed now.

        Raises:
            StorageError: the disk is full; what was stored before stays valid.

        """
        changed = {name: segment for name, segment in self._open.items() if segment.dirty}
        if self.dirty:
            for segment in changed.values():
                segment.sync()
            self.state.segments = {name: asdict(s.state) for name, s in changed.items()}
            write_journal(self.path, self.state)
            for segment in changed.values():
                segment.confirm()
            self.dirty = False
        self._close_idle()

    def _close_idle(self) -> None:
        idle = self._clock() - IDLE_SECONDS
        in_use = sorted(self._open, key=lambda name: self._used[name], reverse=True)
        for place, name in enumerate(in_use):
            if place >= OPEN_SEGMENTS or self._used[name] < idle:
                self._open.pop(name).close()
                del self._used[name]

    def close(self) -> None:
        """Close all files and release the lock, without storing."""
        for segment in self._open.values():
            segment.close()
        self._open.clear()
        with contextlib.suppress(OSError):
            os.close(self._lock)
