"""A manifest is read strictly: what is missing in it is named."""

from pathlib import Path

import pytest
from server_monitoring.errors import ResultsError
from server_monitoring.results.manifest import read_manifest

from tests.support.report_runs import write_run


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ('"run_id": "run"', "run_id: missing"),
        ('"window_seconds": 30', "settings.window_seconds: missing"),
        ('"metrics": [', "groups.cpu_mem.metrics: missing"),
    ],
)
def test_a_manifest_without_what_is_needed_is_named(
    tmp_path: Path, change: str, expected: str
) -> None:
    """Such as one that an older version made."""
    folder = write_run(tmp_path / "run", {})
    path = folder / "manifest.json"
    text = path.read_text(encoding="utf-8")
    assert change in text
    path.write_text(text.replace(change, change.replace('"', '"old_', 1)), encoding="utf-8")
    with pytest.raises(ResultsError, match=expected):
        read_manifest(folder)
