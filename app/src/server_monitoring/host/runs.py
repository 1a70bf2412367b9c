"""Where files are: `<data_dir>/runs/<run_id>/` of a run, `<data_dir>/live/<day>/` of a day."""

import calendar
import contextlib
import os
import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from server_monitoring.errors import StorageError, UsageError, one_line
from server_monitoring.model.names import LIVE_RUN
from server_monitoring.model.timestamps import SECONDS_PER_DAY

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# Each user of the group makes files there, and removes no other's.
SHARED = 0o1770
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def shared_folder(path: Path) -> None:
    """Create a folder, if it is missing, in which each user of its group keeps files of its own.

    Raises:
        StorageError: it cannot be created.

    """
    before = os.umask(0)
    try:
        path.mkdir(SHARED, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{path}: {error.strerror}; provision.yml makes what is above"
        ) from error
    finally:
        os.umask(before)


def checked_run_id(run_id: str) -> str:
    """Return `run_id` if it may name a directory.

    Raises:
        UsageError: it holds other characters than letters, digits, `.`, `_`, `-`, is too long, or
            is that of agents' rows.

    """
    if RUN_ID.fullmatch(run_id) is None:
        found = one_line(repr(run_id), 80)
        raise UsageError(
            f"run id: found {found}, expected 1 to 64 letters, digits, '.', '_' or '-', "
            "the first a letter or digit"
        )
    if run_id == LIVE_RUN:
        raise UsageError(
            f"run id: found {run_id!r}, which the rows of agents have; choose another name"
        )
    return run_id


def checked_day(text: str) -> date:
    """Return the day that is written as YYYY-MM-DD.

    Raises:
        UsageError: it is none, or none that a row may be of.

    """
    day = None
    if _DAY.fullmatch(text):
        with contextlib.suppress(ValueError):
            day = date.fromisoformat(text)
    if day is None or not date(1970, 1, 1) <= day <= date(2999, 12, 31):
        raise UsageError(
            f"day: found {one_line(repr(text), 80)}, expected a day in UTC such as 2026-11-30, "
            "from 1970 to 2999"
        )
    return day


@dataclass(frozen=True)
class Run:
    """The paths of one run."""

    data_dir: Path
    run_id: str

    @property
    def directory(self) -> Path:
        """The run's own directory."""
        return self.data_dir / "runs" / self.run_id

    @property
    def raw(self) -> Path:
        """Raw segments: `raw/<topic>/<partition>.csv`."""
        return self.directory / "raw"

    def segment(self, topic: str, partition: int) -> Path:
        """Return the path of a raw segment."""
        return self.raw / topic / f"{partition}.csv"

    @property
    def end_offsets(self) -> Path:
        """The run's end offsets, `{topic: {partition: next offset}}`; written while it lasts."""
        return self.directory / "end_offsets.json"

    def consumed(self, group: str) -> Path:
        """Return the path of what a group's consumer on this host writes at its end."""
        return self.directory / f"consume-{group}.json"

    def failed(self, group: str) -> Path:
        """Return the path of why a group's consumer on this host ended before its end."""
        return self.directory / f"consume-{group}.failed"

    def create(self) -> None:
        """Create the directory if it is missing.

        Raises:
            StorageError: it cannot be created.

        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"{self.directory}: {error.strerror}; run_pipeline.yml makes it for the units, "
                f"who are not to write in {self.data_dir} themselves"
            ) from error


@dataclass(frozen=True)
class Day(Run):
    """The paths of one day, in UTC, of agents' rows: as those of a run; `day` is its date."""

    day: date

    @classmethod
    def of(cls, data_dir: Path, day: date) -> "Day":
        """Return a day below a data directory."""
        return cls(data_dir, LIVE_RUN, day)

    @property
    def live(self) -> Path:
        """The directory of all days."""
        return self.data_dir / LIVE_RUN

    @property
    def directory(self) -> Path:
        """The day's own directory."""
        return self.live / self.day.isoformat()

    def create(self) -> None:
        """Create the directory if it is missing, for all users of the group.

        Raises:
            StorageError: it cannot be created.

        """
        shared_folder(self.directory)

    def next(self) -> "Day":
        """Return the day after."""
        return Day.of(self.data_dir, self.day + timedelta(days=1))

    def seconds(self) -> range:
        """Return the seconds since 1970 that are of the day."""
        start = calendar.timegm(self.day.timetuple())
        return range(start, start + SECONDS_PER_DAY)
