"""Raw segments as the analysis finds them: which there are, whether whole, where corrupt."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from server_monitoring.config import Group, Metric
from server_monitoring.errors import AnalysisError, StorageError, one_line
from server_monitoring.records import canonical_value, check_server_id
from server_monitoring.runs import Run
from server_monitoring.segment import header_line
from server_monitoring.sidecar import read_sidecar
from server_monitoring.timestamps import TimeForm


@dataclass(frozen=True)
class Topic:
    """A metric with its whole segments.

    Attributes:
        files: segments in the order of their partitions.
        rows: rows in all of them, as their sidecars say.

    """

    metric: Metric
    files: tuple[Path, ...]
    rows: int


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
    directory = run.raw / metric.topic
    files = sorted(directory.glob("*.csv"), key=lambda path: (len(path.name), path.name))
    if not files:
        raise AnalysisError(
            f"{directory}: no raw data of run {run.run_id}; run its consumer on this host first"
        )
    return Topic(metric, tuple(files), sum(_whole_rows(path, run, metric) for path in files))


def _whole_rows(path: Path, run: Run, metric: Metric) -> int:
    """Return a segment's rows, having checked that it is of this run and whole."""
    try:
        sidecar = read_sidecar(path)
        size = path.stat().st_size
        with path.open(encoding="utf-8", newline="") as lines:
            header = lines.readline(len(header_line(metric.column)) + 1)
    except (StorageError, UnicodeDecodeError, OSError) as error:
        raise AnalysisError(one_line(error)) from error
    if (sidecar.run_id, sidecar.topic) != (run.run_id, metric.topic):
        raise AnalysisError(
            f"{path}: its sidecar says run {sidecar.run_id}, topic {sidecar.topic}, expected "
            f"{run.run_id}, {metric.topic}; move it away"
        )
    if size != sidecar.bytes:
        raise AnalysisError(
            f"{path}: found {size} bytes, expected the {sidecar.bytes} of its sidecar; run the "
            "group's consumer to its end first"
        )
    if header != header_line(metric.column):
        raise AnalysisError(
            f"{path}: line 1: found {one_line(repr(header), 80)}, expected "
            f"{header_line(metric.column).strip()}; collect the run again"
        )
    return sidecar.rows


def corrupt_row(topics: Sequence[Topic], form: TimeForm) -> AnalysisError:
    """Return the error for the first corrupt row, read again slowly to find its line."""
    for topic in topics:
        found = 0
        for path in topic.files:
            with path.open(encoding="utf-8", errors="surrogateescape", newline="") as lines:
                reader = csv.reader(lines, strict=True)
                line = 1
                try:
                    next(reader, None)
                    line = reader.line_num + 1
                    for fields in reader:
                        _check(fields, form)
                        found += 1
                        line = reader.line_num + 1
                except (ValueError, csv.Error) as error:
                    return AnalysisError(
                        f"{path}: line {line}: corrupt row: {one_line(error, 120)}; collect the "
                        "run again"
                    )
        if found != topic.rows:
            return AnalysisError(
                f"{topic.files[0].parent}: found {found} rows, expected the {topic.rows} of the "
                "sidecars; collect the run again"
            )
    return AnalysisError(
        f"{topics[0].files[0].parent.parent}: Spark read other rows than are there; was a file "
        "changed meanwhile? Start the analysis again"
    )


def _check(fields: list[str], form: TimeForm) -> None:
    if len(fields) != len(("ts", "server_id", "value")):
        message = f"found {len(fields)} fields, expected 3"
        raise ValueError(message)
    ts, server_id, value = fields
    if not form.matches(ts):
        message = f"ts: found {ts!r}, expected a time {form.name}"
        raise ValueError(message)
    for text, check in ((server_id, check_server_id), (value, canonical_value)):
        try:
            check(text)
        except ValueError as error:
            message = f"found {text!r}, expected {error}"
            raise ValueError(message) from error
