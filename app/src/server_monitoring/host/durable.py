"""Whole files that are either the old one or the new one, also after a crash."""

import contextlib
import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from server_monitoring.errors import DiskFullError, StorageError, one_line

T = TypeVar("T")


def fsync_directory(path: Path) -> None:
    """Make renames in the directory `path` durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_file(path: Path, fill: Callable[[Path], object]) -> None:
    """Have `fill` write a temporary file beside `path`, then rename it to `path`.

    Guarantee: after a crash at any point `path` is whole: as before, or as `fill` wrote it;
    when this returns, it is the new one and on disk.

    Raises:
        StorageError: the disk is full (DiskFullError), or the directory cannot be written, or
            what `fill` reads cannot be read; `path` is as before.

    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        fill(temporary)
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())
        temporary.rename(path)
        fsync_directory(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise storage_error(path, error) from error
        raise


def write_text(path: Path, text: str) -> None:
    """Write `text` in UTF-8, line ends as they are, with the guarantee of `replace_file`.

    Raises:
        StorageError: the file cannot be written.

    """
    replace_file(path, lambda file: file.write_text(text, encoding="utf-8", newline=""))


def write_json(path: Path, content: object) -> None:
    """Write `content` as JSON, with the guarantee of `replace_file`.

    Raises:
        StorageError: the file cannot be written.

    """
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path, kind: type[T]) -> T:
    """Return the dataclass `kind` that a file holds as a JSON object of its fields.

    Raises:
        OSError: the file cannot be read.
        ValueError: it holds something else; the text says what was found.

    """
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        message = f"found {one_line(repr(content), 80)}"
        raise ValueError(message)  # noqa: TRY004 - whatever the type, the file is wrong
    for name, wanted in get_type_hints(kind).items():
        if name in content and not _is(content[name], wanted):
            message = f"{name}: found {one_line(repr(content[name]), 80)}"
            raise ValueError(message)
    try:
        return kind(**content)
    except TypeError as error:  # a field is missing, or not known
        message = f"found {one_line(error, 100)}"
        raise ValueError(message) from error


def _is(value: object, wanted: Any) -> bool:
    """Return whether a value from JSON is of a type such as `int` or `dict[str, list[int]]`."""
    if wanted is Any:
        return True
    if get_origin(wanted) is dict:
        return isinstance(value, dict) and all(_is(v, get_args(wanted)[1]) for v in value.values())
    if get_origin(wanted) is list:
        return isinstance(value, list) and all(_is(v, get_args(wanted)[0]) for v in value)
    return type(value) is wanted


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`, even if the kernel takes less at a time."""
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def storage_error(path: Path, error: OSError) -> StorageError:
    """Return the one-line error for a file that could not be read or written."""
    kind = DiskFullError if error.errno == errno.ENOSPC else StorageError
    return kind(
        f"{path}: {error.strerror or error}; free space or mend its permissions, "
        "then start the same command again"
    )
