"""Wait for space on a full disk, then try again."""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from server_monitoring.errors import DiskFullError
from server_monitoring.host.durable import storage_error
from server_monitoring.host.progress import waiting_text

# What must be free before the next attempt: more than a consumer writes between two stores.
NEEDED_BYTES = 96 * 1024 * 1024
PROBE_BYTES = 64 * 1024
T = TypeVar("T")


def never() -> bool:
    """Return False, for a command that a signal ends at once: it is never asked to stop."""
    return False


def check_space(path: Path) -> None:
    """Make a directory with a file in `path`, and remove both.

    Raises:
        StorageError: that fails; DiskFullError if there is no space.

    """
    try:
        with tempfile.TemporaryDirectory(dir=path) as directory:
            Path(directory, "probe").write_bytes(bytes(PROBE_BYTES))
    except OSError as error:
        raise storage_error(path, error) from error


class FullDisk:
    """The waits of one command, with one limit for all of them."""

    def __init__(
        self,
        paths: Sequence[Path],
        timeout: float,
        tell: Callable[[str], None],
        sleep: Callable[[float], object] = time.sleep,
        *,
        needed: int = NEEDED_BYTES,
        pause: int = 1,
    ) -> None:
        """Wait for the file systems of `paths`, at most `timeout` seconds in all, and `tell` so.

        Before the next attempt `needed` bytes must be free on each, and `pause` seconds must have
        passed: the more an attempt costs, the more of them.
        """
        self._paths = paths
        self._left = self._timeout = timeout
        self._tell = tell
        self._sleep = sleep
        self._needed = needed
        self._pause = pause

    def retry(self, attempt: Callable[[], T], stopping: Callable[[], bool] = never) -> T:
        """Return what `attempt` returns; wait and call it again as long as the disk is full.

        Raises:
            DiskFullError: that of the last attempt, once the time is used up or `stopping()`.

        """
        while True:
            try:
                return attempt()
            except DiskFullError as error:
                self._wait(error, stopping)

    def renew(self) -> None:
        """Note within an attempt without an end that there was space: a later wait is another."""
        self._left = self._timeout

    def _wait(self, error: DiskFullError, stopping: Callable[[], bool]) -> None:
        """Sleep until the pause is over and there is space."""
        slept = 0
        while True:
            if self._left <= 0 or stopping():
                raise error
            self._tell(waiting_text("space", self._left, error))
            self._sleep(1)
            self._left -= 1
            slept += 1
            if slept >= self._pause and all(map(self._has_space, self._paths)):
                return

    def _has_space(self, path: Path) -> bool:
        disk = os.statvfs(path)
        return disk.f_bavail * disk.f_frsize >= self._needed
