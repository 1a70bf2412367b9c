"""What a run's producer began with: noted once, compared at each later start."""

import fcntl
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from server_monitoring.errors import DatasetError, ServerMonitoringError, StorageError
from server_monitoring.host.runs import Run
from server_monitoring.produce import marker
from server_monitoring.produce.marker import Marker

FIRST = Marker(
    run_id="r1",
    sha256="ab" * 32,
    columns={"topic-cpu": "cpu_pct", "topic-mem": "mem_pct"},
    topic_ids={"topic-cpu": "id-1", "topic-mem": "id-2"},
    start_offsets={"topic-cpu": {"0": 10, "1": 0}, "topic-mem": {"0": 7, "1": 0}},
)
DATASET = Path("m.csv")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a run whose directory exists."""
    made = Run(tmp_path, "r1")
    made.create()
    return made


def test_the_first_start_is_noted_and_later_ones_go_on_with_it(run: Run) -> None:
    """With the offsets of the first start, not those of now."""
    assert marker.begin(run, FIRST, DATASET) == (FIRST, False)
    later = replace(
        FIRST, start_offsets={"topic-cpu": {"0": 99, "1": 5}, "topic-mem": {"0": 9, "1": 9}}
    )
    before = marker.marker_path(run).read_bytes()
    assert marker.begin(run, later, DATASET) == (FIRST, True)
    assert marker.marker_path(run).read_bytes() == before


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (
            {"sha256": "cd" * 32},
            DatasetError,
            "m.csv: found sha256 cdcdcdcdcdcd..., but run r1 was",
        ),
        ({"topic_ids": {"topic-cpu": "id-9", "topic-mem": "id-2"}}, StorageError, "topic_ids: run"),
        (
            {"columns": {"topic-cpu": "gpu", "topic-mem": "mem_pct"}},
            StorageError,
            "columns: run r1",
        ),
        (
            {"start_offsets": {"topic-cpu": {"0": 0}, "topic-mem": {"0": 0}}},
            StorageError,
            "partitions",
        ),
    ],
)
def test_a_start_with_anything_else_is_refused(
    run: Run, change: dict[str, object], kind: type[ServerMonitoringError], message: str
) -> None:
    """Row numbers and partitions would not be those of the records that are there."""
    marker.begin(run, FIRST, DATASET)
    with pytest.raises(kind) as caught:
        marker.begin(run, replace(FIRST, **change), DATASET)  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert "start a new run" in str(caught.value)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "7"])
def test_a_marker_that_cannot_be_read_is_refused_and_left_alone(run: Run, content: str) -> None:
    """Without it nobody knows where the run began."""
    path = marker.marker_path(run)
    path.write_text(content)
    with pytest.raises(StorageError, match="expected a producer's marker; start a new run"):
        marker.begin(run, FIRST, DATASET)
    assert path.read_text() == content


def test_a_marker_with_offsets_that_are_none_is_refused(run: Run) -> None:
    """Each of them is looked at."""
    marker.begin(run, FIRST, DATASET)
    path = marker.marker_path(run)
    content = json.loads(path.read_text())
    content["start_offsets"]["topic-mem"]["1"] = "x"
    path.write_text(json.dumps(content))
    with pytest.raises(StorageError, match="expected a producer's marker"):
        marker.begin(run, FIRST, DATASET)


def test_a_run_has_one_producer(run: Run) -> None:
    """The second is told why; the lock ends with its holder."""
    with (
        marker.only_producer(run),
        pytest.raises(StorageError, match="another process sends run r1"),
        marker.only_producer(run),
    ):
        pass
    with marker.only_producer(run):
        descriptor = os.open(run.directory / "produce.lock", os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)


def test_a_directory_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    """Named with the reason."""
    with (
        pytest.raises(StorageError, match=r"produce\.lock: No such file or directory"),
        marker.only_producer(Run(tmp_path, "absent")),
    ):
        pass
