"""What an agent lost, or could not sample, since its data directory was made."""

from collections.abc import Callable
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

from server_monitoring.errors import StorageError, one_line
from server_monitoring.host.durable import read_json, write_json


@dataclass
class Counters:
    """Counts of rows and samples.

    Attributes:
        dropped: rows that the spool's bound, or that of memory while the disk is full, dropped.
        torn: lines of the spool that a crash of the machine cut, or that were damaged.
        missed: seconds that passed without a sample while the agent ran.
        unreadable: samples that the source could not give.

    """

    dropped: int = 0
    torn: int = 0
    missed: int = 0
    unreadable: int = 0

    def __str__(self) -> str:
        """Return them for a status line."""
        return ", ".join(f"{count} {name}" for name, count in asdict(self).items())


class CountersFile:
    """Where counters outlive the agent; written when they have changed, as far as the disk lets."""

    def __init__(self, path: Path, tell: Callable[[str], object]) -> None:
        """Go on from `path`; where it is damaged count from zero, and `tell` so."""
        self._path = path
        self._written: tuple[int, ...] = ()
        self.counters = Counters()
        try:
            self.counters = read_json(path, Counters)
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            tell(f"{path}: {one_line(error)}; counting from zero")

    def save(self) -> None:
        """Write them if they have changed; a disk that is full gets them later."""
        now = astuple(self.counters)
        if now == self._written:
            return
        try:
            write_json(self._path, asdict(self.counters))
        except StorageError:
            return
        self._written = now
