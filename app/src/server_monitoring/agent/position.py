"""How far a spool is acknowledged: a line of fixed length, written in place and never synced.

So it costs next to nothing, and what is lost of it costs no row: rows are only sent again.
"""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Place(NamedTuple):
    """In the spool: a file, and a byte in it."""

    file: int
    offset: int


class Position:
    """The file that holds a place."""

    def __init__(self, path: Path) -> None:
        """Open it, or create it; raise OSError if that fails."""
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def read(self, sizes: Mapping[int, int]) -> Place | None:
        """Return the place, or None where it is damaged or none of the files with these `sizes`."""
        try:
            place = Place(*map(int, os.pread(self._descriptor, 64, 0).split()))
        except (ValueError, TypeError):
            return None
        if place.file not in sizes or place.offset < 0:
            return None
        # What was acknowledged need not have been on disk when the machine failed.
        return Place(place.file, min(place.offset, sizes[place.file]))

    def write(self, place: Place) -> None:
        """Note a place, if the disk takes it."""
        with contextlib.suppress(OSError):
            os.pwrite(self._descriptor, b"%012d %012d\n" % place, 0)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
