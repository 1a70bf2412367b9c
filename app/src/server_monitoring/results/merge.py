"""One table of each metric group, from those that the consumers brought.

A server's rows are in one part alone, so parts are merged by copying each server's block of lines.
"""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from server_monitoring.errors import ResultsError
from server_monitoring.host.durable import replace_file
from server_monitoring.store.table import join


def merge(parts: Sequence[Path], path: Path, columns: Sequence[str], sums: Sequence[str]) -> str:
    """Write the rows of all parts to the table `path`, sorted by server_id; return its sha256.

    Guarantee: that of `durable.replace_file`. Memory: one entry a server, not a row.

    Args:
        parts: tables with these columns, each sorted by server_id, bytewise.
        path: the table to write.
        columns: its header.
        sums: the sha256 of each part, in any order, as the analysis told them.

    Raises:
        ResultsError: there is no part, or they are not the tables that the analysis wrote.
        StorageError: a part cannot be read, or the table cannot be written.

    """
    if not parts:
        raise ResultsError(f"{path}: no table came back from any host; see the Spark job's log")
    header = ",".join(columns) + "\n"
    try:
        found = [_sum(part, header) for part in parts]
        if sorted(found) != sorted(sums):
            raise ResultsError(
                f"{path}: parts with sha256 {_short(found)} found, expected {_short(sums)} as the "
                "analysis told; run the pipeline again"
            )
        if len(parts) > 1:
            return join(parts, path, header, skip=len(header.encode()))
    except ValueError as error:
        raise ResultsError(f"{path}: a part is not a table ({error})") from error
    replace_file(path, lambda temporary: shutil.copyfile(parts[0], temporary))
    return found[0]


def _sum(part: Path, header: str) -> str:
    """Return the sha256 of a table with this header."""
    try:
        with part.open("rb") as table:
            first = table.readline().decode()
            if first != header:
                raise ResultsError(f"{part}: header {first!r} found, expected {header!r}")
            table.seek(0)
            return hashlib.file_digest(table, "sha256").hexdigest()
    except OSError as error:
        raise ResultsError(f"{part}: {error.strerror}; make it readable") from error


def _short(sums: Sequence[str]) -> str:
    return ", ".join(f"{text[:12]}..." for text in sorted(sums))
