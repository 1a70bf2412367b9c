"""Wait for space on a full disk, then do the same again."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from server_monitoring.errors import DiskFullError

# What must be free before another try: more than a consumer writes between two stores.
NEEDED_BYTES = 96 * 1024 * 1024


class FullDisk:
    """The waits of one command, bounded in all."""

    def __init__(
        self,
        path: Path,
        timeout: float,
        tell: Callable[[str], None],
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """Wait for the file system of `path`, at most `timeout` seconds in all; `tell` so."""
        self._path = path
        self._left = timeout
        self._tell = tell
        self._sleep = sleep

    def retry(self, attempt: Callable[[], int], stopping: Callable[[], bool]) -> int:
        """Return what `attempt` returns; while it ends with a full disk, wait and call it again.

        Raises:
            DiskFullError: that of the last attempt, once the time is used up or `stopping()`.

        """
        while True:
            try:
                return attempt()
            except DiskFullError as error:
                self._wait(error, stopping)

    def _wait(self, error: DiskFullError, stopping: Callable[[], bool]) -> None:
        """Sleep for a second at least, and until there is space."""
        while True:
            if self._left <= 0 or stopping():
                raise error
            self._tell(f"waiting for space, at most {self._left:.0f} s more: {error}")
            self._sleep(1)
            self._left -= 1
            if self._has_space():
                return

    def _has_space(self) -> bool:
        disk = os.statvfs(self._path)
        return disk.f_bavail * disk.f_frsize >= NEEDED_BYTES
