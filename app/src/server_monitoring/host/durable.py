"""Whole files that are either the old one or the new one, also after a crash."""

import contextlib
import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

from server_monitoring.errors import DiskFullError, StorageError


def fsync_directory(path: Path) -> None:
    """Make renames in the directory `path` durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_file(path: Path, fill: Callable[[Path], None]) -> None:
    """Have `fill` write a temporary file beside `path`, then rename it to `path`.

    Guarantee: after a crash at any point `path` is whole: as before, or as `fill` wrote it;
    when this returns, it is the new one and on disk.

    Raises:
        OSError: the disk is full, or the directory cannot be written; `path` is as before.

    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        fill(temporary)
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())
        temporary.rename(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    fsync_directory(path.parent)


def write_json(path: Path, content: object) -> None:
    """Write `content` as JSON, with the guarantee of `replace_file`.

    Raises:
        StorageError: the file cannot be written.

    """
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    try:
        replace_file(path, lambda temporary: write_text(temporary, text))
    except OSError as error:
        raise storage_error(path, error) from error


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`, also where the kernel takes less at a time."""
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` in UTF-8, line ends as they are."""
    path.write_text(text, encoding="utf-8", newline="")


def storage_error(path: Path, error: OSError) -> StorageError:
    """Return the one-line error for a file that could not be read or written."""
    kind = DiskFullError if error.errno == errno.ENOSPC else StorageError
    return kind(
        f"{path}: {error.strerror or error}; free space or mend its permissions, "
        "then start the same command again"
    )
