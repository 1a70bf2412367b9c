"""What a server does right now, in four numbers, as canonical texts.

cpu_pct  % of all cores, since the sample before
mem_pct  % of the memory that is not available to a new process
net_in   kB/s (1,000 bytes) received by physical network interfaces, since the sample before
disk_io  kB/s (1,000 bytes) read from and written to physical disks, since the sample before

Physical is what has a `device` below `/sys/class/net/<name>` or `/sys/block/<name>`: so no overlay,
bridge or container counts a byte a second time, nor does an LVM volume or a loop device. Where
there is none, as in a container, the value is 0.0, and that is told once; names may be given.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from server_monitoring.errors import one_line
from server_monitoring.model.groups import DEFAULT_COLUMNS
from server_monitoring.model.values import canonical_double

Counters = Mapping[tuple[str, int], int]
_MAX_BYTES = 4096
_KILO = 1000


class HostSource(Protocol):
    """Gives a sample whenever it is asked."""

    def sample(self) -> tuple[str, ...]:
        """Return the values of DEFAULT_COLUMNS.

        Raises:
            OSError, ValueError: it has none; the text says why.

        """


class Rate:
    """How fast counters grow, in thousands a second; never negative.

    A counter adds nothing in the sample in which it is new, or has gone back.
    """

    def __init__(self, counters: Counters, at: float) -> None:
        """Begin with counters by name and identity, at a time in seconds."""
        self._before = counters
        self._at = at

    def since(self, counters: Counters, at: float) -> float:
        """Return the rate since the last call."""
        gained = sum(max(0, now - self._before.get(key, now)) for key, now in counters.items())
        seconds = at - self._at
        self._before, self._at = counters, at
        return gained / _KILO / seconds if seconds > 0 else 0.0


class PsutilSource:
    """Linux's own counters, read by psutil."""

    def __init__(
        self,
        tell: Callable[[str], object],
        nics: Iterable[str] = (),
        disks: Iterable[str] = (),
        *,
        sys: Path = Path("/sys"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read once, so that the first sample has something to compare with.

        Args:
            tell: told once where nothing is found to count.
            nics: names of the interfaces to count; empty: the physical ones.
            disks: names of the disks to count; empty: the physical ones.
            sys: where sysfs is.
            clock: seconds that never go back.

        """
        import psutil  # noqa: PLC0415 - only where samples are taken: the control machine has none

        self._psutil: Any = psutil
        self._tell = tell
        self._clock = clock
        self._nics = _Choice("nics", sys / "class" / "net", frozenset(nics))
        self._disks = _Choice("disks", sys / "block", frozenset(disks))
        self._told: set[str] = set()
        psutil.cpu_percent()
        now = clock()
        self._received, self._moved = Rate(self._net(), now), Rate(self._disk(), now)

    def sample(self) -> tuple[str, ...]:
        """Return the values of DEFAULT_COLUMNS; rates and CPU are those since the last call."""
        now = self._clock()
        return tuple(
            canonical_double(round(value, 3))
            for value in (
                self._psutil.cpu_percent(),
                self._psutil.virtual_memory().percent,
                self._received.since(self._net(), now),
                self._moved.since(self._disk(), now),
            )
        )

    def _net(self) -> Counters:
        found = self._psutil.net_io_counters(pernic=True, nowrap=False) or {}
        return self._chosen(self._nics, {name: of.bytes_recv for name, of in found.items()})

    def _disk(self) -> Counters:
        found = self._psutil.disk_io_counters(perdisk=True, nowrap=False) or {}
        moved = {name: of.read_bytes + of.write_bytes for name, of in found.items()}
        return self._chosen(self._disks, moved)

    def _chosen(self, choice: "_Choice", counters: Mapping[str, int]) -> Counters:
        chosen = choice.of(counters)
        if not chosen and choice.what not in self._told:
            self._told.add(choice.what)
            self._tell(choice.nothing())
        return chosen


class _Choice:
    """Which interfaces or disks count."""

    def __init__(self, what: str, folder: Path, names: frozenset[str]) -> None:
        self.what = what
        self._folder = folder
        self._names = names

    def of(self, counters: Mapping[str, int]) -> Counters:
        """Return what counts, by name and identity: one that is made anew has another identity."""
        found = {}
        for name, value in counters.items():
            place = self._folder / name.replace("/", "!")  # as sysfs writes cciss/c0d0
            if name in self._names if self._names else (place / "device").exists():
                try:
                    found[name, place.stat().st_ino] = value
                except OSError:  # Gone this moment, or a name that sysfs does not know.
                    continue
        return found

    def nothing(self) -> str:
        """Say that nothing counts."""
        if self._names:
            names = ", ".join(sorted(self._names))
            return f"{self.what}: none of {names} is there; their value is 0.0 until one is"
        return (
            f"{self.what}: none in {self._folder} has a device, as in a container; their value is "
            f"0.0 until one has; name those to count in {self.what}"
        )


class FileSource:
    """A plug for a source of any kind: a file that holds the four numbers at each moment.

    It is JSON, an object with exactly the keys of DEFAULT_COLUMNS, and best replaced by a rename.
    """

    def __init__(self, path: Path) -> None:
        """Read `path` at each sample."""
        self._path = path

    def sample(self) -> tuple[str, ...]:
        """Return the values of DEFAULT_COLUMNS that the file has now."""
        with self._path.open("rb") as opened:
            content = opened.read(_MAX_BYTES)
        try:
            pairs = json.loads(content, object_pairs_hook=list)
        except (ValueError, RecursionError):
            pairs = None
        if not isinstance(pairs, list) or sorted(_names(pairs)) != sorted(DEFAULT_COLUMNS):
            found, wanted = one_line(repr(content), 80), ", ".join(DEFAULT_COLUMNS)
            message = f"{self._path}: found {found}, expected JSON with exactly {wanted}"
            raise ValueError(message)
        numbers = dict(pairs)
        return tuple(self._value(column, numbers[column]) for column in DEFAULT_COLUMNS)

    def _value(self, column: str, found: object) -> str:
        try:
            if type(found) in (int, float):
                return canonical_double(float(str(found)))
        except (ValueError, OverflowError):
            pass
        shown = one_line(repr(found), 40)
        message = f"{self._path}: {column}: found {shown}, expected a finite number"
        raise ValueError(message)


def _names(pairs: list[Any]) -> list[str]:
    """Return the keys of a JSON object's pairs; nothing for a list."""
    return [pair[0] for pair in pairs if isinstance(pair, tuple)]
