"""Join the sorted parts of an alert table into one sorted file. Pure Python: no Spark.

Each part has all the lines of some of the servers, sorted. A server's block of lines is copied as
it is, so the join costs little more than reading the parts once.
"""

import hashlib
from collections.abc import Iterator, Sequence
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
    """Yield the servers' blocks of an open part, in its order."""
    prefix, start, position = b"", 0, 0
    for line in part:
        if not (prefix and line.startswith(prefix)):
            if prefix:
                yield _block(prefix, number, start, position)
            prefix, start = _prefix(line), position
        position += len(line)
    if prefix:
        yield _block(prefix, number, start, position)


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


def join(parts: Sequence[Path], path: Path, header: str) -> str:
    """Write `header` and the parts' blocks, ordered by server_id, to `path`; return its sha256.

    Guarantee: that of `durable.replace_file`. Memory: one entry a server, not a row.

    Raises:
        StorageError: a part cannot be read, or the file not be written.

    """
    digest = hashlib.sha256()

    def fill(temporary: Path) -> None:
        files = [part.open("rb") for part in parts]
        try:
            with temporary.open("wb") as out:
                for data in _in_order(files, header):
                    digest.update(data)
                    out.write(data)
        finally:
            for file in files:
                file.close()

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
