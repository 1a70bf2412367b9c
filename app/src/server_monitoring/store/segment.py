"""Raw segments: the rows of one topic-partition in one CSV file, with a sidecar.

`raw/<topic>/<partition>.csv` has the header `ts,server_id,<column>` and the rows in the order of
their offsets; the sidecar `<partition>.json` says how far the segment is valid.

Guarantee: after a crash at any point, the first `bytes` bytes of the segment are exactly the rows
of all offsets from the first start up to, not including, the sidecar's `offset`; reopening cuts
what follows and goes on at that offset, so no row is lost or stored twice. Row numbers ascend
within a segment: the sidecar's `last_row` tells a record that a producer sent a second time.
Condition: one writer (a lock is held) and a disk that keeps what it has synced. Void if the
sidecar or the segment is edited: a segment that is shorter than its sidecar says, that has rows
but no sidecar, or that is of another run or topic id is refused and left as it is.
"""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from server_monitoring.errors import StorageError
from server_monitoring.host.durable import fsync_directory, storage_error, write_all
from server_monitoring.host.lock import open_locked
from server_monitoring.model.csv_text import csv_field
from server_monitoring.store import malformed
from server_monitoring.store.sidecar import Sidecar, read_sidecar, sidecar_path, write_sidecar


def header_line(column: str) -> str:
    """Return a segment's first line."""
    return f"ts,server_id,{column}\n"


def csv_lines(readings: Iterable[tuple[str, str, str]]) -> str:
    """Return readings (timestamp, server, value) as lines of a segment."""
    return "".join([f"{ts},{csv_field(server_id)},{value}\n" for ts, server_id, value in readings])


class Segment:
    """A segment, open for appending."""

    def __init__(self, path: Path, column: str, fresh: Sidecar) -> None:
        """Open `path`, or create it with `fresh` as its first sidecar.

        The sidecar is then on disk, and `state` says where to go on reading.

        Raises:
            StorageError: the disk is full, another process has the segment open, or the segment
                and its sidecar contradict each other.

        """
        self.path = path
        self._column = column
        self.dirty = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(path, error) from error
        self._fd = open_locked(path, "writes it; stop that consumer first")
        try:
            self.state = self._resume(fresh)
            self._malformed = malformed.MalformedFile(path, self.state.malformed_bytes)
        except OSError as error:
            os.close(self._fd)
            raise storage_error(path, error) from error
        except BaseException:
            os.close(self._fd)
            raise

    def _resume(self, fresh: Sidecar) -> Sidecar:
        header = header_line(self._column).encode()
        size = os.fstat(self._fd).st_size
        if not sidecar_path(self.path).exists():
            start = os.pread(self._fd, len(header) + 1, 0)
            if not header.startswith(start) or malformed.has_entries(self.path):
                raise StorageError(
                    f"{self.path}: {size} bytes without the sidecar {self.path.stem}.json that "
                    "says how far they are valid; restore it, or move the segment away"
                )
            return self._begin(fresh, header)
        state = read_sidecar(self.path)
        self._check_identity(state, fresh)
        if size < state.bytes or os.pread(self._fd, len(header), 0) != header:
            raise StorageError(
                f"{self.path}: found {size} bytes, expected at least the {state.bytes} of its "
                f"sidecar, beginning with {header.decode().strip()}; restore the segment"
            )
        os.ftruncate(self._fd, state.bytes)
        os.lseek(self._fd, state.bytes, os.SEEK_SET)
        return state

    def _check_identity(self, state: Sidecar, fresh: Sidecar) -> None:
        found = (state.run_id, state.topic, state.partition)
        if found != (fresh.run_id, fresh.topic, fresh.partition):
            raise StorageError(
                f"{sidecar_path(self.path)}: found run, topic, partition {found}, expected "
                f"{(fresh.run_id, fresh.topic, fresh.partition)}; move the segment away"
            )
        if state.topic_id != fresh.topic_id:
            raise StorageError(
                f"{sidecar_path(self.path)}: found topic id {state.topic_id}, but topic "
                f"{fresh.topic} is now {fresh.topic_id}: it was deleted and created again, so "
                f"offset {state.offset} means nothing in it; start a new run"
            )

    def _begin(self, fresh: Sidecar, header: bytes) -> Sidecar:
        os.ftruncate(self._fd, 0)
        os.lseek(self._fd, 0, os.SEEK_SET)
        write_all(self._fd, header)
        os.fdatasync(self._fd)
        fsync_directory(self.path.parent)
        fresh.bytes = len(header)
        write_sidecar(self.path, fresh)
        return fresh

    def append(self, lines: str, rows: int, offset: int, last_row: int) -> int:
        """Append `rows` rows, the last of them `last_row`, and return their bytes.

        After them `offset` is the next to read. They are valid only after `store`.

        Raises:
            StorageError: the disk is full; what was stored before stays valid.

        """
        data = lines.encode()
        try:
            write_all(self._fd, data)
        except OSError as error:
            raise storage_error(self.path, error) from error
        self.state.bytes += len(data)
        self.state.rows += rows
        self.state.offset = offset
        self.state.last_row = last_row
        self.dirty = True
        return len(data)

    def set_aside(self, offset: int, reason: str, value: bytes | None) -> None:
        """Count a malformed record, and keep the first ones beside the segment.

        Valid only after `store`, like a row.

        Raises:
            StorageError: the disk is full; what was stored before stays valid.

        """
        self.state.malformed += 1
        self.dirty = True
        if self.state.malformed <= malformed.SHOWN:
            self.state.malformed_bytes += self._malformed.add(offset, reason, value)

    def store(self) -> None:
        """Make everything so far valid: sync segment and malformed records, then the sidecar.

        Raises:
            StorageError: the disk is full; what was stored before stays valid.

        """
        if self.dirty:
            self.sync()
            self.confirm()

    def sync(self) -> None:
        """Bring segment and malformed records to the disk; they are not valid yet.

        Raises:
            StorageError: the disk is full.

        """
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            raise storage_error(self.path, error) from error
        self._malformed.sync()

    def confirm(self) -> None:
        """Make what was synced valid.

        Raises:
            StorageError: the disk is full; what was stored before stays valid.

        """
        write_sidecar(self.path, self.state)
        self.dirty = False

    def close(self) -> None:
        """Close the file and release its lock, without storing."""
        self._malformed.close()
        with contextlib.suppress(OSError):
            os.close(self._fd)
