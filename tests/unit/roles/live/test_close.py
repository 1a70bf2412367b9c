"""Which days are closed by the clock, and which are removed."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.project import PROJECT

PROGRAM = PROJECT / "roles/live/files/server-monitoring-close"
KEEP = 5


def day(ago: int) -> str:
    """Return the day so many days ago."""
    return f"{datetime.now(UTC) - timedelta(days=ago):%Y-%m-%d}"


def close(live: Path, hours: int = 0, status: int = 0) -> tuple[list[str], int]:
    """Run the program; return the units that it starts, which end with `status`, and its own."""
    programs = live.parent / "bin"
    programs.mkdir(exist_ok=True)
    systemctl = programs / "systemctl"
    systemctl.write_text(f'#!/bin/sh\necho "$*"\nexit {status}\n')
    systemctl.chmod(0o755)
    done = subprocess.run(
        ["sh", PROGRAM, live, str(hours), str(KEEP)],
        env={"PATH": f"{programs}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return [line.split()[-1] for line in done.stdout.splitlines()], done.returncode


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """Return a folder of days: each of the last seven, and what else lies there."""
    folder = tmp_path / "live"
    for ago in range(8):
        (folder / day(ago) / "raw").mkdir(parents=True)
    (folder / "offsets").mkdir()
    (folder / "consume-cpu_mem.json").write_text("")
    return folder


def test_days_without_books_are_closed_once_they_are_over(live: Path) -> None:
    """All of those that are kept; today is not over, and those with books are done."""
    (live / day(2) / "books.json").write_text("")
    assert close(live) == ([f"sm-books@{day(ago)}.service" for ago in (5, 4, 3, 1)], 0)


def test_a_day_s_late_rows_are_waited_for(live: Path) -> None:
    """A day is over so many hours after its end."""
    units, _ = close(live, hours=48)
    assert units[-1] == f"sm-books@{day(3)}.service"


def test_a_day_that_cannot_be_closed_keeps_no_other(live: Path) -> None:
    """And it is told."""
    units, status = close(live, status=1)
    assert (len(units), status) == (5, 1)


def test_old_days_are_removed_if_they_were_closed(live: Path, tmp_path: Path) -> None:
    """A link in the place of a day is left alone, and what it shows to."""
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "books.json").write_text("")
    (live / "2020-01-01").symlink_to(precious)
    for ago in (3, 7):
        (live / day(ago) / "books.json").write_text("")
    close(live)
    assert not (live / day(7)).exists()
    assert all((live / day(ago)).exists() for ago in range(7))
    assert (live / "2020-01-01").is_symlink()
    assert (precious / "books.json").exists()
    assert (live / "offsets").exists()
