"""Malformed records of a segment, set aside in `<partition>.malformed.jsonl`.

Guarantee: as for the segment itself: the first `malformed_bytes` bytes, as the sidecar says, are
exactly the entries of the offsets before the sidecar's `offset`; reopening cuts what follows, so
no entry is there twice. Condition: the segment's lock is held.
"""

import base64
import contextlib
import json
import os
from pathlib import Path

from server_monitoring.errors import StorageError, one_line
from server_monitoring.host.durable import fsync_directory, storage_error, write_all

SHOWN = 1_000
SHOWN_BYTES = 2_048
"""Of a record's value; of a longer one the entry says its whole length."""


def malformed_path(segment: Path) -> Path:
    """Return the path of a segment's malformed records."""
    return segment.with_suffix(".malformed.jsonl")


def has_entries(segment: Path) -> bool:
    """Return whether there is a file of malformed records that is not empty."""
    path = malformed_path(segment)
    return path.exists() and path.stat().st_size > 0


class MalformedFile:
    """The file of malformed records, created with the first of them."""

    def __init__(self, segment: Path, valid: int) -> None:
        """Cut the file to its first `valid` bytes.

        Raises:
            StorageError: it is shorter (and left as it is), or cannot be opened.

        """
        self.path = malformed_path(segment)
        self._fd: int | None = None
        self._dirty = False
        try:
            if valid or self.path.exists():
                self._open()
                size = os.fstat(self._file()).st_size
                if size < valid:
                    self.close()
                    raise StorageError(
                        f"{self.path}: found {size} bytes, expected at least the {valid} of its "
                        "sidecar; restore the file"
                    )
                os.ftruncate(self._file(), valid)
        except OSError as error:
            self.close()
            raise storage_error(self.path, error) from error

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._fd = os.open(self.path, flags, 0o644)

    def _file(self) -> int:
        if self._fd is None:
            self._open()
            fsync_directory(self.path.parent)
        assert self._fd is not None  # noqa: S101 - opened above
        return self._fd

    def add(self, offset: int, reason: str, value: bytes | None) -> int:
        """Append an entry and return its bytes; valid only after `sync` and a new sidecar.

        It holds the first SHOWN_BYTES of the value.

        Raises:
            StorageError: the disk is full.

        """
        content = value or b""
        entry = {
            "offset": offset,
            "reason": one_line(reason, SHOWN_BYTES),
            "value_base64": base64.b64encode(content[:SHOWN_BYTES]).decode(),
        }
        if len(content) > SHOWN_BYTES:
            entry["value_bytes"] = len(content)
        data = (json.dumps(entry) + "\n").encode()
        self._dirty = True
        try:
            write_all(self._file(), data)
        except OSError as error:
            raise storage_error(self.path, error) from error
        return len(data)

    def sync(self) -> None:
        """Sync all entries to the disk.

        Raises:
            StorageError: the disk is full.

        """
        if not self._dirty:
            return
        try:
            os.fdatasync(self._file())
        except OSError as error:
            raise storage_error(self.path, error) from error
        self._dirty = False

    def close(self) -> None:
        """Close the file, without syncing."""
        if self._fd is not None:
            with contextlib.suppress(OSError):
                os.close(self._fd)
            self._fd = None
