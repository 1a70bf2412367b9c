"""Raw segments: the rows of one topic-partition in one CSV file, with a sidecar.

`raw/<topic>/<partition>.csv` has the header `ts,server_id,<column>` and the rows in the order of
their offsets; the sidecar `<partition>.json` says how far the segment is valid.

Guarantee: after a crash at any point, the first `bytes` bytes of the segment are exactly the rows
of all offsets from the first start up to, not including, the sidecar's `offset`; reopening cuts
what follows and goes on at that offset, so no row is lost or stored twice. Condition: one writer
(a lock is held) and a disk that keeps what it has synced. Void if the sidecar or the segment is
edited: a segment that is shorter than its sidecar says, or has rows but no sidecar, is refused
and left as it is.
"""

import contextlib
import csv
import fcntl
import io
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from server_monitoring.durable import fsync_directory, storage_error, write_json
from server_monitoring.errors import StorageError, one_line
from server_monitoring.records import Reading

_SPECIAL = frozenset(',"\r\n')


@dataclass
class Sidecar:
    """How far a segment is valid.

    Attributes:
        offset: the next offset to read.
        bytes, rows: size of the valid part, header included in bytes and not in rows.
        foreign: records of other runs that were passed over.
        malformed: records of this run that were not in the wire format.

    """

    run_id: str
    topic: str
    partition: int
    offset: int
    bytes: int
    rows: int
    foreign: int = 0
    malformed: int = 0


def sidecar_path(segment: Path) -> Path:
    """Return the path of a segment's sidecar."""
    return segment.with_suffix(".json")


def read_sidecar(segment: Path) -> Sidecar:
    """Read a segment's sidecar.

    Raises:
        StorageError: it is missing or not a sidecar.

    """
    path = sidecar_path(segment)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        sidecar = Sidecar(**content)
    except OSError as error:
        raise StorageError(
            f"{path}: {error.strerror}, so it is unknown how far {segment.name} is valid; "
            "restore it, or move the segment away to start the run again"
        ) from error
    except (ValueError, TypeError) as error:
        raise StorageError(
            f"{path}: found {one_line(error, 100)}, expected a segment's sidecar; restore it"
        ) from error
    types = {"run_id": str, "topic": str}
    for name, value in asdict(sidecar).items():
        if type(value) is not types.get(name, int):
            raise StorageError(f"{path}: {name}: found {value!r}; restore the sidecar")
    return sidecar


def header_line(column: str) -> str:
    """Return a segment's first line."""
    return f"ts,server_id,{column}\n"


def csv_field(text: str) -> str:
    """Return `text` as one CSV field, quoted where it must be (RFC 4180)."""
    if _SPECIAL.isdisjoint(text):
        return text
    return '"' + text.replace('"', '""') + '"'


def csv_lines(readings: Iterable[Reading]) -> str:
    """Return readings as lines of a segment."""
    return "".join([f"{ts},{csv_field(server_id)},{value}\n" for ts, server_id, value in readings])


def csv_row(fields: Iterable[object]) -> str:
    """Return any fields as one CSV line."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(fields)
    return line.getvalue()


class Segment:
    """A segment that is open for appending."""

    def __init__(self, path: Path, column: str, fresh: Sidecar) -> None:
        """Open `path`, or create it with `fresh` as its first sidecar.

        After this, the sidecar stands on disk and `state` says where to read on.

        Raises:
            StorageError: the disk is full, another process has the segment, or the segment and
                its sidecar contradict each other.

        """
        self.path = path
        self._column = column
        self.dirty = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise storage_error(path, error) from error
        try:
            self._lock()
            self.state = self._resume(fresh)
        except OSError as error:
            os.close(self._fd)
            raise storage_error(path, error) from error
        except BaseException:
            os.close(self._fd)
            raise

    def _lock(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StorageError(
                f"{self.path}: another process writes it; stop that consumer first"
            ) from error

    def _resume(self, fresh: Sidecar) -> Sidecar:
        header = header_line(self._column).encode()
        size = os.fstat(self._fd).st_size
        if not sidecar_path(self.path).exists():
            start = os.pread(self._fd, len(header) + 1, 0)
            if not header.startswith(start):
                raise StorageError(
                    f"{self.path}: {size} bytes without the sidecar {self.path.stem}.json that "
                    "says how far they are valid; restore it, or move the segment away"
                )
            return self._begin(fresh, header)
        state = read_sidecar(self.path)
        found = (state.run_id, state.topic, state.partition)
        if found != (fresh.run_id, fresh.topic, fresh.partition):
            raise StorageError(
                f"{sidecar_path(self.path)}: found run, topic, partition {found}, expected "
                f"{(fresh.run_id, fresh.topic, fresh.partition)}; move the segment away"
            )
        if size < state.bytes or os.pread(self._fd, len(header), 0) != header:
            raise StorageError(
                f"{self.path}: found {size} bytes, expected at least the {state.bytes} of its "
                f"sidecar, beginning with {header.decode().strip()}; restore the segment"
            )
        os.ftruncate(self._fd, state.bytes)
        os.lseek(self._fd, state.bytes, os.SEEK_SET)
        return state

    def _begin(self, fresh: Sidecar, header: bytes) -> Sidecar:
        os.ftruncate(self._fd, 0)
        os.lseek(self._fd, 0, os.SEEK_SET)
        self._write(header)
        os.fdatasync(self._fd)
        fsync_directory(self.path.parent)
        fresh.bytes = len(header)
        write_json(sidecar_path(self.path), asdict(fresh))
        return fresh

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._fd, left) :]

    def append(self, lines: str, rows: int, offset: int) -> int:
        """Append `rows` rows, after which `offset` is the next to read; return their bytes.

        They are valid only after `store`.

        Raises:
            StorageError: the disk is full; what was stored before stays valid.

        """
        data = lines.encode()
        try:
            self._write(data)
        except OSError as error:
            raise storage_error(self.path, error) from error
        self.state.bytes += len(data)
        self.state.rows += rows
        self.state.offset = offset
        self.dirty = True
        return len(data)

    def store(self) -> None:
        """Make everything appended so far valid: sync the segment, then replace the sidecar.

        Raises:
            StorageError: the disk is full; what was stored before stays valid.

        """
        if not self.dirty:
            return
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            raise storage_error(self.path, error) from error
        write_json(sidecar_path(self.path), asdict(self.state))
        self.dirty = False

    def close(self) -> None:
        """Close the file and release its lock, without storing."""
        with contextlib.suppress(OSError):
            os.close(self._fd)
