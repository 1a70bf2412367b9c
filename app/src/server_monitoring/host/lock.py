"""Files that only one process at a time may have open."""

import fcntl
import os
from pathlib import Path

from server_monitoring.errors import StorageError
from server_monitoring.host.durable import storage_error


def open_locked(path: Path, advice: str) -> int:
    """Open a file for reading and writing, or create it, and lock it; return its descriptor.

    Guarantee: no other process gets the lock until the descriptor is closed or this process has
    ended, however it ends.

    Raises:
        StorageError: another process has the lock (the message ends with `advice`), or the file
            cannot be opened.

    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException:
            os.close(descriptor)
            raise
    except BlockingIOError as error:
        raise StorageError(f"{path}: another process {advice}") from error
    except OSError as error:
        raise storage_error(path, error) from error
    return descriptor
