"""A spool, rows for it, and a process that dies within it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from server_monitoring.agent import spool
from server_monitoring.agent.counters import Counters
from server_monitoring.agent.row import Row

FIRST = 1_717_236_000
LARGE = 1 << 20


def row(number: int) -> Row:
    """Return the row of a second."""
    return Row(FIRST + number, 'web,"1"', (f"{number}.5", "20.0", "0.0", "1234.567"))


class Held:
    """A spool, and what it told and counted."""

    def __init__(self, directory: Path, bound: int = LARGE, **more: Any) -> None:
        """Open it."""
        self.told: list[str] = []
        self.counters = Counters()
        self.spool = spool.Spool(directory, bound, self.counters, self.told.append, **more)

    def append(self, *numbers: int) -> None:
        """Take the rows of seconds."""
        for number in numbers:
            self.spool.append(row(number))

    def take(self, limit: int = 500) -> list[int]:
        """Give out rows without acknowledging them."""
        chunk = self.spool.unsent(limit)
        return [] if chunk is None else seconds(chunk)

    def drain(self, limit: int = 500) -> list[int]:
        """Give out and acknowledge all rows."""
        found = []
        while (chunk := self.spool.unsent(limit)) is not None:
            found += seconds(chunk)
            self.spool.acknowledge(chunk)
        return found

    def die(self) -> None:
        """Leave everything as it is; the kernel gives the lock to the next process."""
        os.close(self.spool._locked)  # noqa: SLF001 - what the kernel closes


def seconds(chunk: spool.Chunk) -> list[int]:
    """Return the numbers of a chunk's rows, each of which must be whole."""
    assert all(one == row(one.second - FIRST) for one in chunk.rows)
    return [one.second - FIRST for one in chunk.rows]


def files(directory: Path) -> list[Path]:
    """Return the spool's files, the oldest first."""
    return sorted((directory / "spool").glob("*.csv"))


class KilledError(BaseException):
    """The process ends here."""


@contextmanager
def killed_after(calls: int, part: float) -> Iterator[None]:
    """Die within a call of the kernel, after so many; a write is done in part."""
    left = calls

    def dying(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*args: Any, **more: Any) -> Any:
            nonlocal left
            left -= 1
            if left >= 0:
                return real(*args, **more)
            if name == "write":
                real(args[0], bytes(args[1])[: int(len(args[1]) * part)])
            raise KilledError

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in ("write", "pwrite", "open", "unlink", "ftruncate", "fdatasync", "fsync"):
            patch.setattr(os, name, dying(name))
        yield
