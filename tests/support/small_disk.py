"""A file system of a megabyte, for tests of what happens when it is full."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.playbooks import AS_ROOT


class SmallDisk:
    """A mounted tmpfs.

    Attributes:
        path: where it is mounted.

    """

    def __init__(self, path: Path) -> None:
        """Use the one at `path`."""
        self.path = path

    def fill(self) -> None:
        """Take all space that is left."""
        descriptor = os.open(self.path / "filler", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        with contextlib.suppress(OSError):
            while True:
                os.write(descriptor, bytes(4096))
        os.close(descriptor)

    def free(self) -> None:
        """Make room for more than any wait asks for."""
        _run("mount", "-o", "remount,size=200m", str(self.path))


@contextmanager
def small_disk(path: Path, size: str = "1m") -> Iterator[SmallDisk]:
    """Mount a tmpfs of `size` at a new directory `path`, for this user."""
    path.mkdir(parents=True)
    owner = f"uid={os.getuid()},gid={os.getgid()}"
    _run("mount", "-t", "tmpfs", "-o", f"size={size},mode=0755,{owner}", "tmpfs", str(path))
    try:
        yield SmallDisk(path)
    finally:
        # Also while a process that the test has ended still goes.
        _run("umount", "--lazy", str(path))


def _run(*command: str) -> None:
    subprocess.run([*AS_ROOT, *command], check=True)
