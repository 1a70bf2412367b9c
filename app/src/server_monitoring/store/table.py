"""Join the sorted parts of an alert table into one sorted file. Pure Python: no Spark.

Each part has all the lines of some of the servers, sorted. A server's block of lines is copied as
it is, so the join costs little more than reading the parts once.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, NamedTuple

from server_monitoring.host.durable import replace_file
from server_monitoring.model.csv_text import LINE_END_STAND_IN

_CHUNK = 1 << 20


class Block(NamedTuple):
    """Where a server's lines are in a part."""

    server_id: str
    part: int
    start: int
    end: int
    has_line_ends: bool


def blocks(part: BinaryIO, number: int) -> Iterator[Block]:
    """Yield the servers' blocks of an open part, from where it stands, in its order.

    Raises:
        ValueError: a line is not of a table.

    """
    prefix, start = b"", part.tell()
    position = start
    for line in part:
        row = line
        if not (prefix and row.startswith(prefix)):
            while row.count(b'"') % 2:  # a line end within a server id
                row += _next(part)
            if not (prefix and row.startswith(prefix)):
                if prefix:
                    yield _block(prefix, number, start, position)
                prefix, start = _prefix(row), position
        position += len(row)
    if prefix:
        yield _block(prefix, number, start, position)


def _next(part: BinaryIO) -> bytes:
    line = part.readline()
    if not line:
        raise ValueError("a quote that never ends")
    return line


def _prefix(line: bytes) -> bytes:
    """Return the first field of a line, as it is written, with the comma after it."""
    if not line.startswith(b'"'):
        return line[: line.index(b",") + 1]
    # Within the field quotes are doubled: the first lone one ends it.
    at = 1
    while line[at : at + 1] != b'"' or line[at + 1 : at + 2] == b'"':
        at += 2 if line[at : at + 1] == b'"' else 1
    return line[: at + 2]


def _block(prefix: bytes, part: int, start: int, end: int) -> Block:
    text = prefix[:-1].decode()
    has_line_ends = LINE_END_STAND_IN in text
    if text.startswith('"'):
        text = text[1:-1].replace('""', '"').replace(LINE_END_STAND_IN, "\n")
    return Block(text, part, start, end, has_line_ends)


def join(parts: Sequence[Path], path: Path, header: str, *, skip: int = 0) -> str:
    """Write `header` and the parts' blocks, ordered by server_id, to `path`; return its sha256.

    The first `skip` bytes of each part are left out.

    Guarantee: that of `durable.replace_file`. Memory: one entry a server, not a row.

    Raises:
        StorageError: a part cannot be read, or the file not be written.
        ValueError: a part is not a table.

    """
    digest = hashlib.sha256()

    def fill(temporary: Path) -> None:
        with ExitStack() as opened, temporary.open("wb") as out:
            files = [opened.enter_context(part.open("rb")) for part in parts]
            for file in files:
                file.seek(skip)
            for data in _in_order(files, header):
                digest.update(data)
                out.write(data)

    replace_file(path, fill)
    return digest.hexdigest()


def _in_order(files: Sequence[BinaryIO], header: str) -> Iterator[bytes]:
    yield header.encode()
    stand_in = LINE_END_STAND_IN.encode()
    found = [block for number, file in enumerate(files) for block in blocks(file, number)]
    for block in sorted(found):
        file = files[block.part]
        file.seek(block.start)
        left = block.end - block.start
        while left:
            data = file.read(min(left, _CHUNK))
            left -= len(data)
            yield data.replace(stand_in, b"\n") if block.has_line_ends else data
