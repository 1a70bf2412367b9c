"""`produce.started`: what a run's producer began with, so that later starts go on with the same.

Guarantee: the marker is on disk before the first record is sent, and is never written again.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from server_monitoring.errors import DatasetError, StorageError, one_line
from server_monitoring.host.durable import read_json, storage_error, write_json
from server_monitoring.host.lock import open_locked
from server_monitoring.host.runs import Run


@dataclass(frozen=True)
class Marker:
    """What must be the same whenever a run's producer starts.

    Attributes:
        sha256: of the data set.
        columns: the data set's column of each topic.
        topic_ids: the broker's own name for each topic.
        start_offsets: the next offset of each partition of each topic before the run's first
            record.

    """

    run_id: str
    sha256: str
    columns: dict[str, str]
    topic_ids: dict[str, str]
    start_offsets: dict[str, dict[str, int]]

    def __post_init__(self) -> None:
        """Raise ValueError where a partition is not a number."""
        for offsets in self.start_offsets.values():
            for partition in offsets:
                int(partition)

    def partitions(self) -> dict[str, int]:
        """Return how many partitions each topic has."""
        return {topic: len(offsets) for topic, offsets in self.start_offsets.items()}


def marker_path(run: Run) -> Path:
    """Return where a run's marker is."""
    return run.directory / "produce.started"


@contextlib.contextmanager
def only_producer(run: Run) -> Iterator[None]:
    """Hold the run's lock: on a host, a run has one producer at a time.

    Raises:
        StorageError: another process has it, or its file cannot be opened.

    """
    advice = f"sends run {run.run_id}; wait for its end or stop it first"
    descriptor = open_locked(run.directory / "produce.lock", advice)
    try:
        yield
    finally:
        os.close(descriptor)


def begin(run: Run, now: Marker, dataset: Path) -> tuple[Marker, bool]:
    """Return the run's marker, which is `now` at the first start, and whether there was one before.

    Raises:
        DatasetError: the data set is not the one of the first start.
        StorageError: topics or columns are not those of the first start, or the marker cannot
            be read or written.

    """
    first = _read(marker_path(run))
    if first is None:
        write_json(marker_path(run), asdict(now))
        return now, False
    if first.sha256 != now.sha256:
        raise DatasetError(
            f"{dataset}: found sha256 {now.sha256[:12]}..., but run {run.run_id} was begun with "
            f"{first.sha256[:12]}...: the data set changed; restore it, or start a new run"
        )
    for name in ("run_id", "columns", "topic_ids"):
        _check(run, name, getattr(first, name), getattr(now, name))
    _check(run, "partitions", first.partitions(), now.partitions())
    return first, True


def _check(run: Run, name: str, first: object, now: object) -> None:
    if first != now:
        raise StorageError(
            f"{marker_path(run)}: {name}: run {run.run_id} was begun with {one_line(first, 120)}, "
            f"found {one_line(now, 120)}; undo this change, or start a new run"
        )


def _read(path: Path) -> Marker | None:
    try:
        return read_json(path, Marker)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise storage_error(path, error) from error
    except ValueError as error:
        raise StorageError(
            f"{path}: {error}, expected a producer's marker; start a new run"
        ) from error
