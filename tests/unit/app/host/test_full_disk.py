"""Waiting for space: until there is some, not for ever, and not against a signal."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from server_monitoring.errors import DiskFullError, StorageError
from server_monitoring.host.full_disk import NEEDED_BYTES, FullDisk, check_space

from tests.support.small_disk import small_disk

FULL = DiskFullError("/data/0.csv: No space left on device; free space")


class Disk:
    """A disk that is freed after some seconds, and what was told meanwhile."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, freed_after: int) -> None:
        """Stand in for the file system's own numbers."""
        self.seconds = 0
        self.freed_after = freed_after
        self.told: list[str] = []
        monkeypatch.setattr(os, "statvfs", self.statvfs)

    def statvfs(self, path: Path) -> SimpleNamespace:
        """Return one block less than is needed until the disk is freed."""
        assert path == Path("/data")
        free = NEEDED_BYTES // 512 - (self.seconds < self.freed_after)
        return SimpleNamespace(f_bavail=free, f_frsize=512)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += int(seconds)

    def waits(self, timeout: float) -> FullDisk:
        """Return what is tested."""
        return FullDisk([Path("/data")], timeout, self.told.append, self.sleep)


class Attempt:
    """Fails with a full disk some times, then returns 7."""

    def __init__(self, failures: int) -> None:
        """Fail `failures` times."""
        self.calls = 0
        self.failures = failures

    def __call__(self) -> int:
        """Fail or return."""
        self.calls += 1
        if self.calls <= self.failures:
            raise FULL
        return 7


def test_the_same_is_done_again_once_there_is_space(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits until the disk is freed, says so every second, and returns the result."""
    disk, attempt = Disk(monkeypatch, freed_after=5), Attempt(1)
    assert disk.waits(300).retry(attempt, lambda: False) == 7
    assert attempt.calls == 2
    assert disk.seconds == 5
    assert disk.told[0] == f"waiting for space, at most 300 s more: {FULL}"
    assert disk.told[-1].startswith("waiting for space, at most 296 s more")


def test_a_disk_that_stays_full_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time is used up the attempt's own error is raised."""
    disk, attempt = Disk(monkeypatch, freed_after=1_000), Attempt(1)
    with pytest.raises(DiskFullError, match="No space left"):
        disk.waits(60).retry(attempt, lambda: False)
    assert (attempt.calls, disk.seconds) == (1, 60)


def test_the_time_is_bounded_also_where_the_disk_claims_to_have_space(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Out of inodes, say: each try costs a second, and all of them together the timeout."""
    disk, attempt = Disk(monkeypatch, freed_after=0), Attempt(1_000)
    with pytest.raises(DiskFullError):
        disk.waits(20).retry(attempt, lambda: False)
    assert (attempt.calls, disk.seconds) == (21, 20)


def test_a_signal_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A consumer that is told to stop does not wait for space first."""
    disk = Disk(monkeypatch, freed_after=1_000)
    with pytest.raises(DiskFullError):
        disk.waits(300).retry(Attempt(1), lambda: disk.seconds >= 3)
    assert disk.seconds == 3


def test_another_error_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a full disk heals by itself."""
    disk = Disk(monkeypatch, freed_after=0)

    def attempt() -> int:
        message = "the sidecar is gone"
        raise StorageError(message)

    with pytest.raises(StorageError, match="sidecar"):
        disk.waits(300).retry(attempt, lambda: False)
    assert disk.seconds == 0


def test_tries_that_cost_much_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the disk claims to have space all the time, as between two Spark jobs."""
    disk, attempt = Disk(monkeypatch, freed_after=0), Attempt(1_000)
    full_disk = FullDisk([Path("/data")], 60, disk.told.append, disk.sleep, pause=20)
    with pytest.raises(DiskFullError):
        full_disk.retry(attempt)
    assert (attempt.calls, disk.seconds) == (4, 60)


def test_a_full_disk_is_seen_before_spark_meets_it(tmp_path: Path) -> None:
    """And what was written to see it is gone; one with space has nothing of it either."""
    with small_disk(tmp_path / "disk") as disk:
        check_space(disk.path)
        disk.fill()
        with pytest.raises(DiskFullError, match="disk: No space left on device"):
            check_space(disk.path)
        assert [path.name for path in disk.path.iterdir()] == ["filler"]
