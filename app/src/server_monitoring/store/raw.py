"""Raw segments as the analysis finds them: which there are, and whether they are whole."""

from dataclasses import dataclass
from pathlib import Path

from server_monitoring.errors import AnalysisError, StorageError, one_line
from server_monitoring.host.runs import Run
from server_monitoring.model.groups import Group, Metric
from server_monitoring.store.segment import header_line
from server_monitoring.store.sidecar import read_sidecar


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
    """Return how many rows a segment has, after checking that it is whole and of this run."""
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
    if size != sidecar.bytes:
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
    return sidecar.rows
