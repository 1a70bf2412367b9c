"""A producer's state files as version 0.1.0 wrote them: read as they stand, written alike."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from server_monitoring.host.runs import Run
from server_monitoring.model.timestamps import CLOCK
from server_monitoring.produce import checked, marker, resume
from server_monitoring.produce.marker import Marker
from server_monitoring.sources.dataset import Dataset
from server_monitoring.sources.rows import Report

STARTED = """\
{
  "run_id": "r1",
  "sha256": "abababababababababababababababababababababababababababababababab",
  "columns": {
    "topic-cpu": "cpu_pct",
    "topic-mem": "mem_pct"
  },
  "topic_ids": {
    "topic-cpu": "Nn3vVYzrRnyRXfRvvUtBJQ",
    "topic-mem": "k-1eKDfHQ5m9ZJr6aYdA0w"
  },
  "start_offsets": {
    "topic-cpu": {
      "0": 10,
      "1": 0
    },
    "topic-mem": {
      "0": 7,
      "1": 0
    }
  }
}
"""
PROGRESS = """\
{
  "row": 2000,
  "offsets": {
    "topic-cpu": {
      "0": 1010,
      "1": 999
    },
    "topic-mem": {
      "0": 1007,
      "1": 998
    }
  }
}
"""
CHECKED = """\
{
  "sha256": "abababababababababababababababababababababababababababababababab",
  "columns": [
    "cpu_pct",
    "mem_pct"
  ],
  "times": "HH:mm:ss",
  "layout": {
    "separator": ",",
    "decimal_comma": false,
    "time_unit": "",
    "clock_goes_back": "stop"
  },
  "app_version": "0.1.0",
  "lines": 9001,
  "rows": 9000,
  "empty": 0,
  "missing": {
    "cpu_pct": 0,
    "mem_pct": 2
  }
}
"""
# Of other rules for rows: it counts no more here, as this one's does not count there.
EARLIER_CHECKED = re.sub(
    r'  "layout": \{.*?\},\n|  "(lines|empty)": [0-9]+,\n', "", CHECKED, flags=re.DOTALL
)
SHA256 = "ab" * 32
FIRST = Marker(
    run_id="r1",
    sha256=SHA256,
    columns={"topic-cpu": "cpu_pct", "topic-mem": "mem_pct"},
    topic_ids={"topic-cpu": "Nn3vVYzrRnyRXfRvvUtBJQ", "topic-mem": "k-1eKDfHQ5m9ZJr6aYdA0w"},
    start_offsets={"topic-cpu": {"0": 10, "1": 0}, "topic-mem": {"0": 7, "1": 0}},
)
CHECKPOINT = resume.Checkpoint(
    2000, {"topic-cpu": {"0": 1010, "1": 999}, "topic-mem": {"0": 1007, "1": 998}}
)
REPORT = Report(lines=9001, rows=9000, missing={"cpu_pct": 0, "mem_pct": 2})


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a run whose directory exists."""
    made = Run(tmp_path, "r1")
    made.create()
    return made


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Return a data set with these columns; what is in it does not count here."""
    path = tmp_path / "m.csv"
    path.write_text("ts,server_id,cpu_pct,mem_pct\n")
    return Dataset(path, ("cpu_pct", "mem_pct"), CLOCK)


def test_a_run_begun_by_the_earlier_version_goes_on(
    run: Run, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its marker and its checkpoint; the data set is read again."""
    monkeypatch.setattr(checked, "__version__", "0.1.0")
    (run.directory / "produce.lock").touch()
    (run.directory / "produce.started").write_text(STARTED)
    (run.directory / "produce.progress").write_text(PROGRESS)
    (run.directory / "produce.checked").write_text(EARLIER_CHECKED)
    now = replace(
        FIRST, start_offsets={"topic-cpu": {"0": 99, "1": 9}, "topic-mem": {"0": 9, "1": 9}}
    )
    with marker.only_producer(run):
        assert marker.begin(run, now, dataset.path) == (FIRST, True)
    assert resume.read_checkpoint(run, FIRST) == CHECKPOINT
    assert checked.recall(run, dataset, SHA256) is None
    (run.directory / "produce.checked").write_text(CHECKED)
    assert checked.recall(run, dataset, SHA256) == REPORT
    assert (run.directory / "produce.started").read_text() == STARTED


def test_the_earlier_version_finds_its_files_again(
    run: Run, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Byte for byte, and no others."""
    monkeypatch.setattr(checked, "__version__", "0.1.0")
    with marker.only_producer(run):
        assert marker.begin(run, FIRST, dataset.path) == (FIRST, False)
    resume.write_checkpoint(run, CHECKPOINT)
    checked.note(run, dataset, SHA256, REPORT)
    assert {path.name: path.read_text() for path in run.directory.iterdir()} == {
        "produce.lock": "",
        "produce.started": STARTED,
        "produce.progress": PROGRESS,
        "produce.checked": CHECKED,
    }
