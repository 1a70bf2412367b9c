"""A file that one process at a time may have."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from server_monitoring.errors import StorageError
from server_monitoring.host.lock import open_locked

HOLD = """
import sys
from pathlib import Path
from server_monitoring.host.lock import open_locked
open_locked(Path(sys.argv[1]), "")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_lock_ends_with_the_process_that_holds_it(tmp_path: Path) -> None:
    """However it ends; until then everybody else is refused."""
    path = tmp_path / "lock"
    argv = [sys.executable, "-c", HOLD, str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StorageError, match="lock: another process sends; stop it first"):
            open_locked(path, "sends; stop it first")
        holder.kill()
        holder.wait()
    os.close(open_locked(path, "sends; stop it first"))


def test_what_is_in_the_file_stays(tmp_path: Path) -> None:
    """It may be the very file that the lock is for."""
    path = tmp_path / "segment"
    path.write_text("rows")
    descriptor = open_locked(path, "writes it")
    assert os.read(descriptor, 9) == b"rows"
    os.close(descriptor)


def test_a_file_that_cannot_be_opened_is_a_storage_error(tmp_path: Path) -> None:
    """Named with the reason."""
    with pytest.raises(StorageError, match="none/lock: No such file or directory"):
        open_locked(tmp_path / "none" / "lock", "writes it")
