"""Raw segments as the analysis finds them: which there are, and whether they are whole.

A day of agents' rows may grow while it is analyzed. What is read of it is a copy of the valid
parts of its segments, and of the next day's, whose first rows its last windows hold.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from server_monitoring.errors import AnalysisError, StorageError, one_line
from server_monitoring.host.durable import storage_error
from server_monitoring.host.runs import Day, Run
from server_monitoring.model.groups import Group, Metric
from server_monitoring.store.segment import header_line
from server_monitoring.store.sidecar import Sidecar, read_sidecar, sidecar_path


@dataclass(frozen=True)
class Topic:
    """A metric with its whole segments.

    Attributes:
        files: segments in the order of their partitions.
        rows: rows in all of them, as their sidecars say.
        rows_after: those of them that are in segments of the day after.

    """

    metric: Metric
    files: tuple[Path, ...]
    rows: int
    rows_after: int = 0


def find_topics(run: Run, group: Group) -> tuple[Topic, Topic]:
    """Return both topics' segments.

    Raises:
        AnalysisError: no raw data, a segment that is not whole, or topics whose partitions differ.

    """
    first, second = (_find(run, metric) for metric in group.metrics)
    names = [{path.name for path in topic.files} for topic in (first, second)]
    if names[0] != names[1]:
        missing = ", ".join(sorted(names[0] ^ names[1]))
        raise AnalysisError(
            f"{run.raw}: {missing}: there for only one of {first.metric.topic} and "
            f"{second.metric.topic}; run the group's consumer to its end first"
        )
    return first, second


def _find(run: Run, metric: Metric) -> Topic:
    files = _segments(run, metric)
    if not files:
        raise AnalysisError(
            f"{run.raw / metric.topic}: no raw data of run {run.run_id}; run its consumer on this "
            "host first"
        )
    return Topic(metric, tuple(files), sum(_sidecar(path, run, metric).rows for path in files))


def _segments(run: Run, metric: Metric) -> list[Path]:
    files = (run.raw / metric.topic).glob("*.csv")
    return sorted(files, key=lambda path: (len(path.name), path.name))


def _sidecar(path: Path, run: Run, metric: Metric) -> Sidecar:
    """Return a segment's sidecar, after checking that it is whole and of this run."""
    try:
        sidecar = read_sidecar(path)
        size = path.stat().st_size
        with path.open("rb") as lines:
            found = lines.readline(len(header_line(metric.column)) + 1)
    except (StorageError, OSError) as error:
        raise AnalysisError(one_line(error)) from error
    if (sidecar.run_id, sidecar.topic) != (run.run_id, metric.topic):
        raise AnalysisError(
            f"{path}: its sidecar says run {sidecar.run_id}, topic {sidecar.topic}, expected "
            f"{run.run_id}, {metric.topic}; move it away"
        )
    if size < sidecar.bytes or (size > sidecar.bytes and not isinstance(run, Day)):
        raise AnalysisError(
            f"{path}: found {size} bytes, expected the {sidecar.bytes} of its sidecar; run the "
            "group's consumer to its end first"
        )
    header = found.decode(errors="replace")
    if header != header_line(metric.column):
        raise AnalysisError(
            f"{path}: line 1: found {one_line(repr(header), 80)}, expected "
            f"{header_line(metric.column).strip()}; collect the run again"
        )
    return sidecar


def check_stored(day: Day, group: Group) -> None:
    """Refuse a day of which a live consumer of the group can have stored nothing on this host.

    Raises:
        AnalysisError: none was ever here.

    """
    for metric in group.metrics:
        if not any((day.live / "offsets" / metric.topic).glob("*.json")):
            raise AnalysisError(
                f"{day.live}: no live consumer of group {group.name} has stored anything on this "
                f"host; start one there, or analyze day {day.day} where one is"
            )


def copy_topics(day: Day, group: Group, folder: Path) -> tuple[Topic, Topic]:
    """Copy a day's segments of both topics, and the next day's, to `folder`.

    A metric of which there is nothing has an empty segment.

    Raises:
        AnalysisError: a segment is not whole.
        StorageError: the disk is full.

    """
    check_stored(day, group)
    try:
        first, second = (_copy(day, metric, folder) for metric in group.metrics)
    except OSError as error:
        raise storage_error(folder, error) from error
    return first, second


def day_rows(day: Day, metric: Metric) -> int:
    """Return how many rows of a metric are stored of a day, as the sidecars say now.

    Raises:
        AnalysisError: a segment is not whole.

    """
    return sum(_sidecar(path, day, metric).rows for path in _begun(day, metric))


def _begun(day: Day, metric: Metric) -> list[Path]:
    """Return a day's segments, without one that its consumer is about to create."""
    return [path for path in _segments(day, metric) if sidecar_path(path).exists()]


def _copy(day: Day, metric: Metric, folder: Path) -> Topic:
    folder = folder / metric.topic
    folder.mkdir(parents=True)
    files, rows = [], {}
    for of_day in (day, day.next()):
        rows[of_day] = 0
        for segment in _begun(of_day, metric):
            # Its valid part only grows, so it is there whole whatever its consumer does now.
            sidecar = _sidecar(segment, of_day, metric)
            rows[of_day] += sidecar.rows
            files.append(folder / f"{segment.stem}.{of_day.day}.csv")
            _copy_start(segment, files[-1], sidecar.bytes)
    if not files:
        files.append(folder / "none.csv")
        files[-1].write_text(header_line(metric.column), encoding="utf-8")
    return Topic(metric, tuple(files), sum(rows.values()), rows[day.next()])


def _copy_start(path: Path, copy: Path, size: int) -> None:
    """Copy the first `size` bytes of a file."""
    with path.open("rb") as source, copy.open("wb") as target:
        done = 0
        while done < size:
            sent = os.sendfile(target.fileno(), source.fileno(), done, size - done)
            if not sent:
                raise AnalysisError(f"{path}: shorter than its sidecar says; restore it")
            done += sent
