"""Where a run's files are: `<data_dir>/runs/<run_id>/`."""

import re
from dataclasses import dataclass
from pathlib import Path

from server_monitoring.errors import StorageError, UsageError, one_line

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def checked_run_id(run_id: str) -> str:
    """Return `run_id` if it may name a directory.

    Raises:
        UsageError: it holds other characters than letters, digits, `.`, `_`, `-`, or is too long.

    """
    if RUN_ID.fullmatch(run_id) is None:
        found = one_line(repr(run_id), 80)
        raise UsageError(
            f"run id: found {found}, expected 1 to 64 letters, digits, '.', '_' or '-', "
            "the first a letter or digit"
        )
    return run_id


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
