"""One file of a spool: lines, of which a crash may have cut the last one."""

import contextlib
import os
import re
from pathlib import Path

from server_monitoring.agent import row

_READ_BYTES = 64 * 1024
_TAIL_BYTES = 8 * 1024
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")


def mend(path: Path) -> bool:
    """Cut a file behind its last whole line; return whether there was something to cut."""
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole == len(content):
        return False
    os.truncate(path, whole)
    return True


def last_second(path: Path) -> int:
    """Return the second of the last row; 0 where there is none."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        for line in reversed(file.read().split(b"\n")):
            with contextlib.suppress(ValueError):
                return row.decode(line).second
    return 0


def count_lines(path: Path, offset: int) -> int:
    """Return how many lines there are from a byte on."""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read().count(b"\n")


def read_lines(path: Path, offset: int, limit: int) -> list[bytes]:
    """Return at most `limit` lines with their ends from a byte on, or all that is left of one."""
    with path.open("rb") as file:
        file.seek(offset)
        lines = _LINE.findall(file.read(_READ_BYTES))
    if len(lines) > 1 and not lines[-1].endswith(b"\n"):
        lines.pop()
    return lines[:limit]
