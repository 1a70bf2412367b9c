"""Samples on disk until every topic has them: files of lines, and how far they are acknowledged.

`spool/<number>.csv` has a line for each row, see `row`; `position` says up to which line of which
file every topic has them. A file whose rows are all acknowledged is removed, but for the newest.

Guarantee: a row that `append` took is given out by `unsent` until it is acknowledged, in the order
of `append`, by this process or, however it ended, by the next; after a start those that the last
process had not noted as acknowledged are given out again. A machine that fails, unlike one that
is shut down, may lose those of the last SYNC_SECONDS, or since the last row where that is longer,
that no broker had. Files never hold more than `bound` bytes: the oldest is dropped, and its rows
are counted and told. While nothing can be written rows wait in memory, at most MEMORY_ROWS, for
the broker or the disk; they are lost with the process. Condition: one process (a lock is held).
"""

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from server_monitoring.agent import row, spool_file
from server_monitoring.agent.counters import Counters
from server_monitoring.agent.position import Place, Position
from server_monitoring.errors import counted
from server_monitoring.host.durable import fsync_directory, storage_error, write_all
from server_monitoring.host.lock import open_locked

LEAST_BOUND = 256 * 1024
SYNC_SECONDS = 10.0
MEMORY_ROWS = 3600
"""An hour's, of samples each second: about a megabyte."""
# A file is this part of the bound: what is dropped at once where the bound is reached.
_FILES = 16
_DIGITS = 12


class Chunk(NamedTuple):
    """Rows to send, and what to acknowledge then.

    Attributes:
        rows: in order.
        lines: of the spool that they take, with those that are damaged.
        end: where the next ones begin.

    """

    rows: list[row.Row]
    lines: int
    end: Place


class Spool:
    """The rows of one agent; one thread appends, another sends."""

    def __init__(
        self,
        directory: Path,
        bound: int,
        counters: Counters,
        tell: Callable[[str], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the spool in `directory`, or make it.

        Args:
            directory: it has the position's file, and a folder `spool`.
            bound: of all files, in bytes.
            counters: of what is lost.
            tell: told of what is dropped, and of a disk that takes nothing.
            clock: for the time between two syncs.

        Raises:
            StorageError: another agent has it open, or it cannot be read or made.

        """
        self._folder = directory / "spool"
        self._bound = bound
        self._counters = counters
        self._tell = tell
        self._clock = clock
        self._lock = threading.Condition()
        self._memory: deque[bytes] = deque()
        self._refused = self._closed = False
        self._descriptor = -1  # of the newest file
        self._synced = clock()
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._locked = open_locked(directory / "lock", "is this agent; stop it first")
            self._position = Position(directory / "position")
            self._open()
        except OSError as error:
            raise storage_error(directory, error) from error

    def _open(self) -> None:
        """Find the files, cut what a crash left of a line, and go on at the position."""
        paths = sorted(self._folder.glob("[0-9]" * _DIGITS + ".csv"))
        if paths and spool_file.mend(paths[-1]):
            self._counters.torn += 1
        found = [int(path.stem) for path in paths]
        self._sizes = dict(zip(found, [path.stat().st_size for path in paths], strict=True))
        self.last_second = next(filter(None, map(spool_file.last_second, reversed(paths))), 0)
        first = Place(found[0] if found else 1, 0)
        self._acked = self._read = self._position.read(self._sizes) or first
        self._position.write(self._acked)
        self.waiting = sum(self._lines_from(number) for number in found)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:0{_DIGITS}d}.csv"

    def _lines_from(self, number: int) -> int:
        """Return how many lines of a file were not given out yet."""
        if number < self._read.file:
            return 0
        offset = self._read.offset if number == self._read.file else 0
        return spool_file.count_lines(self._path(number), offset)

    @property
    def size(self) -> int:
        """The bytes of all files."""
        with self._lock:
            return sum(self._sizes.values())

    @property
    def _end(self) -> Place:
        newest = max(self._sizes, default=0)
        return Place(newest, self._sizes.get(newest, 0))

    def append(self, added: row.Row) -> None:
        """Take a row; it is on disk, as far as a killed process goes, when this returns."""
        with self._lock:
            behind = self._acked < self._end
            self._memory.append(row.encode(added))
            self.waiting += 1
            self._empty_memory()
            self._lock.notify()
        # A row that has only just come will be acknowledged in a moment, as a rule.
        if behind and self._clock() >= self._synced + SYNC_SECONDS:
            self._sync()

    def _empty_memory(self) -> None:
        try:
            while self._memory:
                self._write(self._memory[0])
                self._memory.popleft()
        except OSError as error:
            if len(self._memory) > MEMORY_ROWS:
                self._memory.popleft()
                self.waiting -= 1
                self._counters.dropped += 1
            if not self._refused:
                self._tell(
                    f"{storage_error(self._folder, error)}; meanwhile up to {MEMORY_ROWS} rows "
                    "wait in memory"
                )
            self._refused = True
        else:
            if self._refused:
                self._tell(f"{self._folder}: takes rows again")
            self._refused = False

    def _write(self, line: bytes) -> None:
        number, size = self._end
        if not number or size + len(line) > self._bound // _FILES:
            number, size = number + 1, 0
            self._begin(number)
        elif self._descriptor < 0:
            self._begin(number)
        while len(self._sizes) > 1 and self.size + len(line) > self._bound:
            self._drop_oldest()
        try:
            write_all(self._descriptor, line)
        except OSError:
            # Where not even this works, the rest of a line spoils the next one.
            os.ftruncate(self._descriptor, size)
            raise
        self._sizes[number] = size + len(line)

    def _begin(self, number: int) -> None:
        """Open a file to append to, perhaps a new one."""
        self._sync()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        opened = os.open(self._path(number), flags, 0o600)
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = opened
        self._sizes.setdefault(number, 0)
        fsync_directory(self._folder)

    def _drop_oldest(self) -> None:
        number = min(self._sizes)
        lost = self._lines_from(number)
        self._remove(number)
        following = Place(min(self._sizes), 0)
        self._read, self._acked = max(self._read, following), max(self._acked, following)
        self._position.write(self._acked)
        self.waiting -= lost
        self._counters.dropped += lost
        if lost:
            self._tell(
                f"{self._folder}: reached its bound of {self._bound} bytes, so the oldest "
                f"{counted(lost, 'row')} were dropped; let this host reach the broker, or raise "
                "the bound"
            )

    def _remove(self, number: int) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._path(number).unlink()
        del self._sizes[number]

    def _sync(self) -> None:
        """Make what was written durable."""
        if self._descriptor < 0:
            return
        try:
            os.fdatasync(self._descriptor)
        except OSError as error:
            self._tell(str(storage_error(self._folder, error)))
        self._synced = self._clock()

    def unsent(self, limit: int) -> Chunk | None:
        """Return the next rows, at most `limit`, or None; they count as given out.

        Raises:
            StorageError: a file cannot be read.

        """
        with self._lock:
            try:
                lines = self._next_lines(limit)
            except OSError as error:
                raise storage_error(self._folder, error) from error
            if not lines:
                lines = [self._memory.popleft() for _ in range(min(limit, len(self._memory)))]
            if not lines:
                return None
            rows = []
            for line in lines:
                try:
                    rows.append(row.decode(line.removesuffix(b"\n")))
                except ValueError:
                    self._counters.torn += 1
            whole = sum(line.endswith(b"\n") for line in lines)
            return Chunk(rows, whole, self._read)

    def _next_lines(self, limit: int) -> list[bytes]:
        """Return lines from where reading is, and go on behind them."""
        newest = max(self._sizes, default=0)
        while self._sizes:
            number, offset = self._read
            lines = spool_file.read_lines(self._path(number), offset, limit)
            if lines:
                self._read = Place(number, offset + sum(map(len, lines)))
                return lines
            if number >= newest:
                return []
            self._read = Place(min(n for n in self._sizes if n > number), 0)
        return []

    def wait(self, timeout: float) -> None:
        """Wait at most so many seconds for a row that was not given out yet."""
        with self._lock:
            if not self._memory and self._read >= self._end:
                self._lock.wait(timeout)

    def acknowledge(self, chunk: Chunk) -> None:
        """Note that every topic has the rows of a chunk; chunks come in their order."""
        with self._lock:
            self.waiting -= chunk.lines
            if self._closed or chunk.end <= self._acked:
                return
            self._acked = chunk.end
            self._position.write(self._acked)
            for number in [n for n in self._sizes if n < self._acked.file]:
                self._remove(number)

    def close(self) -> None:
        """Make everything durable, and let another process open it."""
        self._sync()
        with self._lock:
            self._closed = True
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._position.close()
        os.close(self._locked)
