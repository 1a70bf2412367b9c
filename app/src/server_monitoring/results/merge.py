"""One table of each metric group, from those that the consumers brought.

A server's rows are in one part alone, so parts are merged by copying each server's block of lines.
"""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from server_monitoring.errors import ResultsError
from server_monitoring.host.durable import replace_file
from server_monitoring.store.table import join

_CHUNK = 1 << 20


class Told(NamedTuple):
    """What a Spark job told of its table."""

    sha256: str
    windows: int


def merge(parts: Sequence[Path], path: Path, columns: Sequence[str], told: Sequence[Told]) -> str:
    """Write the rows of all parts to the table `path`, sorted by server_id; return its sha256.

    Guarantee: that of `durable.replace_file`. Memory: one entry a server, not a row.

    Args:
        parts: tables with these columns, each sorted by server_id, bytewise.
        path: the table to write.
        columns: its header.
        told: sha256 and windows of each part, in any order, as the Spark jobs told them.

    Raises:
        ResultsError: there is no part, or they are not the tables that the analysis wrote.
        StorageError: a part cannot be read, or the table cannot be written.

    """
    if not parts:
        raise ResultsError(f"{path}: no table came back from any host; see the Spark job's log")
    header = ",".join(columns) + "\n"
    try:
        found = [_look(part, header) for part in parts]
        if sorted(found) != sorted(told):
            raise ResultsError(
                f"{path}: the tables that came back are not those that the Spark jobs wrote: found "
                f"{_short(found)}, expected {_short(told)}; run the pipeline again"
            )
        if len(parts) > 1:
            return join(parts, path, header, skip=len(header.encode()))
    except ValueError as error:
        raise ResultsError(f"{path}: a part is not a table ({error})") from error
    replace_file(path, lambda temporary: shutil.copyfile(parts[0], temporary))
    return found[0].sha256


def _look(part: Path, header: str) -> Told:
    """Return the sha256 of a table with this header, and how many rows it has."""
    digest, rows = hashlib.sha256(header.encode()), 0
    try:
        with part.open("rb") as table:
            first = table.readline().decode()
            if first != header:
                raise ResultsError(f"{part}: header {first!r} found, expected {header!r}")
            quoted = False
            while chunk := table.read(_CHUNK):
                digest.update(chunk)
                # A line end between quotes does not end a row.
                for place, text in enumerate(chunk.split(b'"')):
                    quoted ^= place > 0
                    rows += 0 if quoted else text.count(b"\n")
    except OSError as error:
        raise ResultsError(f"{part}: {error.strerror}; make it readable") from error
    return Told(digest.hexdigest(), rows)


def _short(tables: Sequence[Told]) -> str:
    return ", ".join(f"sha256 {sha256[:12]}... of {rows} rows" for sha256, rows in sorted(tables))
