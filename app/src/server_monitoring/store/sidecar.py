"""The sidecar of a raw segment: how far the segment is valid, and what was left out of it."""

from dataclasses import asdict, dataclass
from pathlib import Path

from server_monitoring.errors import StorageError
from server_monitoring.host.durable import read_json, write_json


@dataclass
class Sidecar:
    """How far a segment is valid.

    Attributes:
        topic_id: the broker's own name for the topic: one that was deleted and created again has
            another, and offsets of the old one mean nothing in it.
        offset: the next offset to read.
        bytes, rows: size of the valid part, header included in bytes and not in rows.
        last_row: row number (its line in the data set) of the last stored row; 0 before any.
        foreign: records of other runs, which were skipped.
        malformed: records of this run that were not in the wire format.
        duplicates: records of this run whose row was stored before.
        malformed_bytes: size of the valid part of `<partition>.malformed.jsonl`.

    """

    run_id: str
    topic: str
    topic_id: str
    partition: int
    offset: int
    bytes: int = 0
    rows: int = 0
    last_row: int = 0
    foreign: int = 0
    malformed: int = 0
    duplicates: int = 0
    malformed_bytes: int = 0


def sidecar_path(segment: Path) -> Path:
    """Return the path of a segment's sidecar."""
    return segment.with_suffix(".json")


def write_sidecar(segment: Path, sidecar: Sidecar) -> None:
    """Replace a segment's sidecar, with the guarantee of `durable.replace_file`.

    Raises:
        StorageError: the file cannot be written.

    """
    write_json(sidecar_path(segment), asdict(sidecar))


def read_sidecar(segment: Path) -> Sidecar:
    """Read a segment's sidecar.

    Raises:
        StorageError: it is missing or not a sidecar.

    """
    path = sidecar_path(segment)
    try:
        return read_json(path, Sidecar)
    except OSError as error:
        raise StorageError(
            f"{path}: {error.strerror}, so nothing says how far {segment.name} is valid; "
            "restore it, or move the segment away to start the run again"
        ) from error
    except ValueError as error:
        raise StorageError(f"{path}: {error}, expected a segment's sidecar; restore it") from error
