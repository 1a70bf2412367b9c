"""What differs between two runs: incidents and settings."""

from pathlib import Path

from server_monitoring.results.changes import compare, differences
from server_monitoring.results.manifest import read_manifest

from tests.support.report_runs import config, write_run
from tests.unit.app.app_incidents import FULL, HOT, merged


def test_compared_with_itself_nothing_differs() -> None:
    """Equal incidents are the same one."""
    found = merged((0, HOT, "81", "0"), (100, HOT, "81", "0"))
    assert compare(found, found) == []


def test_new_gone_and_changed_incidents_are_told_apart() -> None:
    """The same one overlaps or touches; what is apart is gone here and new there."""
    was = merged((0, HOT, "81", "0"), (200, HOT, "81", "0"), (400, FULL, "0", "60"))
    now = merged((30, HOT, "81", "0"), (300, HOT, "81", "0"), (400, FULL, "0", "60"))
    changes = [(c.kind, c.incident.start) for c in compare(now, was)]
    assert changes == [("changed", 30), ("gone", 200), ("new", 300)]


def test_of_several_the_one_that_shares_most_time_is_the_same() -> None:
    """And no incident is the same as two."""
    was = merged((0, HOT, "81", "0"), (40, HOT, "81", "0"))
    now = merged((20, HOT, "81", "0"), (30, HOT, "81", "0"), (40, HOT, "81", "0"))
    changes = compare(now, was)
    assert [(c.kind, c.was.start if c.was else None) for c in changes] == [
        ("gone", 0),
        ("changed", 40),
    ]


def test_another_peak_alone_is_a_change() -> None:
    """Times and windows may be the same."""
    [change] = compare(merged((0, HOT, "82", "0")), merged((0, HOT, "81", "0")))
    assert change.kind == "changed"
    assert change.was is not None
    assert (change.incident.worst.value, change.was.worst.value) == ("82", "81")


def test_settings_that_differ_are_named(tmp_path: Path) -> None:
    """Other thresholds explain other incidents."""
    one = read_manifest(write_run(tmp_path / "one", {}))
    other = read_manifest(write_run(tmp_path / "other", {}, config(window_seconds=60)))
    assert differences(one, other) == ["window_seconds: 30, was 60"]
