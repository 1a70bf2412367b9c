"""A data set that was read to its end is not read again by the next start of its run."""

import json
from pathlib import Path

import pytest
from server_monitoring.host.runs import Run
from server_monitoring.model.layout import Layout
from server_monitoring.model.timestamps import form_of
from server_monitoring.produce import checked
from server_monitoring.sources.dataset import Dataset
from server_monitoring.sources.rows import Report

SHA256 = "ab" * 32
REPORT = Report(lines=9, rows=7, empty=1, missing={"cpu_pct": 2})


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a run with a folder."""
    made = Run(tmp_path, "r1")
    made.create()
    return made


def opened(
    folder: Path,
    columns: tuple[str, ...] = ("cpu_pct",),
    start: str = "20:52:00",
    layout: Layout | None = None,
) -> Dataset:
    """Return a data set; what is in it does not count here."""
    path = folder / "m.csv"
    path.write_text("ts,server_id,cpu_pct,mem_pct\n")
    return Dataset(path, columns, form_of(start), layout)


def test_what_was_noted_is_recalled(run: Run, tmp_path: Path) -> None:
    """Nothing before the first note, then the same counts."""
    with opened(tmp_path) as dataset:
        assert checked.recall(run, dataset, SHA256) is None
        checked.note(run, dataset, SHA256, REPORT)
        assert checked.recall(run, dataset, SHA256) == REPORT


def test_another_data_set_columns_or_times_are_read(run: Run, tmp_path: Path) -> None:
    """The note holds for the very file, and for how it was read."""
    with opened(tmp_path) as dataset:
        checked.note(run, dataset, SHA256, REPORT)
        assert checked.recall(run, dataset, "cd" * 32) is None
    with opened(tmp_path, columns=("cpu_pct", "mem_pct")) as dataset:
        assert checked.recall(run, dataset, SHA256) is None
    for start in ("2026-01-31T20:52:00Z", ""):
        with opened(tmp_path, start=start) as dataset:
            assert checked.recall(run, dataset, SHA256) is None
    with opened(tmp_path, layout=Layout(clock_goes_back="keep")) as dataset:
        assert checked.recall(run, dataset, SHA256) is None


def test_another_app_reads_again(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may find bad what this one took."""
    with opened(tmp_path) as dataset:
        checked.note(run, dataset, SHA256, REPORT)
        monkeypatch.setattr(checked, "__version__", "99")
        assert checked.recall(run, dataset, SHA256) is None


def test_bad_rows_are_looked_for_again(run: Run, tmp_path: Path) -> None:
    """They have to be named, or set aside."""
    with opened(tmp_path) as dataset:
        checked.note(run, dataset, SHA256, Report(rows=7, bad_rows=1))
        assert not checked.checked_path(run).exists()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "7", '{"rows": 7}', json.dumps({"missing": {}})]
)
def test_a_note_that_is_none_only_costs_time(run: Run, tmp_path: Path, content: str) -> None:
    """The data set is read then."""
    checked.checked_path(run).write_text(content)
    with opened(tmp_path) as dataset:
        assert checked.recall(run, dataset, SHA256) is None
