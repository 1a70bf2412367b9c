"""The journal of a live topic-partition: how far it was read, and what that changed."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from server_monitoring.errors import StorageError
from server_monitoring.host.durable import read_json, write_json
from server_monitoring.store.sidecar import Sidecar


@dataclass
class Journal:
    """How far a partition was read, and the sidecars that belong to it.

    Attributes:
        topic_id: the broker's own name for the topic, as in a sidecar.
        offset: the next offset to read.
        rows: rows stored, each once, whatever its day.
        foreign: records of batch runs, which were skipped.
        malformed: records that were not in the wire format. They are set aside, as those of the
            next three kinds are, each under one kind alone.
        outlying: rows of a day for which there was no folder any more.
        unsigned: rows without a signature of the server that they name, where one is asked for.
        unlisted: rows of servers that are not watched.
        untimely: rows that came too late or too early to count live; they are stored.
        segments: by name, the sidecar of each segment that the last store changed.

    """

    topic: str
    topic_id: str
    partition: int
    offset: int
    rows: int = 0
    foreign: int = 0
    malformed: int = 0
    outlying: int = 0
    unsigned: int = 0
    unlisted: int = 0
    untimely: int = 0
    segments: dict[str, dict[str, Any]] = field(default_factory=dict)

    def count(self, kind: str) -> None:
        """Count a record of a kind that has this name above."""
        setattr(self, kind, getattr(self, kind) + 1)


def journal_path(live: Path, topic: str, partition: int) -> Path:
    """Return the path of a partition's journal."""
    return live / "offsets" / topic / f"{partition}.json"


def write_journal(path: Path, journal: Journal) -> None:
    """Replace a journal, with the guarantee of `durable.replace_file`.

    Raises:
        StorageError: the file cannot be written.

    """
    write_json(path, asdict(journal))


def read_journal(path: Path) -> Journal | None:
    """Read a journal; None if there is none.

    Raises:
        StorageError: it cannot be read, or is none.

    """
    try:
        return read_json(path, Journal)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StorageError(
            f"{path}: {error}, expected how far the partition was read; restore it"
        ) from error


def sidecars(path: Path, journal: Journal) -> dict[str, Sidecar]:
    """Return the sidecars in a journal, by the names of their segments.

    Raises:
        StorageError: one is none.

    """
    try:
        return {name: Sidecar(**content) for name, content in journal.segments.items()}
    except TypeError as error:
        raise StorageError(
            f"{path}: {error}, expected the sidecars of segments; restore it"
        ) from error
