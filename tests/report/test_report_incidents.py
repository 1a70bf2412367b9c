"""Windows become incidents: merged where they overlap or touch, with their peaks; runs differ."""

from decimal import Decimal
from pathlib import Path

import pytest
from server_monitoring.errors import ResultsError
from server_monitoring.model.incidents import (
    AlertWindow,
    Incident,
    Limit,
    Merger,
    covered_seconds,
    level,
    severity,
)
from server_monitoring.report.strip import BINS, Strip
from server_monitoring.results.changes import compare, differences
from server_monitoring.results.manifest import read_manifest

from tests.report.report_runs import config, write_run

METRICS = (Limit("avg_cpu", "cpu_pct", Decimal(80)), Limit("avg_mem", "mem_pct", Decimal(50)))
HOT, FULL = "hot", "full"


def merged(*rows: tuple[int, str, str, str]) -> list[Incident]:
    """Merge rows of start, label and the two values, in windows of 30 s."""
    merger = Merger("a", "g", METRICS, 30)
    for start, label, *texts in rows:
        merger.add(AlertWindow(start, label, tuple(map(float, texts)), tuple(texts)))
    return merger.close()


def spans(incidents: list[Incident]) -> list[tuple[str, int, int, int]]:
    """Return label, start, end and number of windows of each."""
    return [(i.label, i.start, i.end, i.windows) for i in incidents]


def test_windows_that_overlap_or_touch_are_one_incident() -> None:
    """From the first start to the last end; a gap of one second ends it."""
    found = merged((0, HOT, "81", "0"), (10, HOT, "81", "0"), (40, HOT, "81", "0"))
    assert spans(found) == [(HOT, 0, 70, 3)]
    assert found[0].seconds == 70
    apart = merged((0, HOT, "81", "0"), (31, HOT, "81", "0"))
    assert spans(apart) == [(HOT, 0, 30, 1), (HOT, 31, 61, 1)]


def test_each_label_has_incidents_of_its_own() -> None:
    """Two labels in turn are two incidents that overlap."""
    rows = [(0, HOT, "81", "0"), (10, FULL, "0", "51"), (20, HOT, "81", "0"), (30, FULL, "0", "51")]
    assert spans(merged(*rows)) == [(HOT, 0, 50, 2), (FULL, 10, 60, 2)]


def test_the_peak_is_the_value_furthest_above_in_proportion() -> None:
    """Of both metrics, each with its first highest window, as the table writes it."""
    [found] = merged(
        (0, HOT, "90.10", "60.5"), (10, HOT, "99.00", "60.5"), (20, HOT, "99.00", "60")
    )
    assert [(p.column, p.value, p.at) for p in found.peaks] == [
        ("avg_cpu", "99.00", 10),
        ("avg_mem", "60.5", 0),
    ]
    assert (found.worst.above, found.worst.percent) == (Decimal("19.00"), 23.8)
    [other] = merged((0, HOT, "81", "75"))
    assert (other.worst.column, other.worst.percent) == ("avg_mem", 50.0)


def test_a_label_on_values_that_are_not_above_is_refused() -> None:
    """A value equal to its threshold is not above it, so the thresholds are another run's."""
    with pytest.raises(ValueError, match=HOT):
        merged((0, HOT, "80", "50"))


def test_a_threshold_of_zero_has_no_percent_and_sorts_as_the_worst() -> None:
    """Any value is infinitely far above 0 in proportion."""
    merger = Merger("a", "g", (Limit("x", "x", Decimal(0)),), 30)
    merger.add(AlertWindow(0, HOT, (0.5,), ("0.5",)))
    [found] = merger.close()
    assert (found.worst.percent, found.worst.above) == (None, Decimal("0.5"))
    [other] = merged((0, HOT, "800", "0"))
    assert sorted([other, found], key=severity) == [found, other]


def test_a_negative_threshold_has_a_positive_distance() -> None:
    """-5 is half of 10 above -10."""
    merger = Merger("a", "g", (Limit("x", "x", Decimal(-10)),), 30)
    merger.add(AlertWindow(0, HOT, (-5.0,), ("-5",)))
    assert merger.close()[0].worst.percent == 50.0


def test_time_in_alert_counts_each_second_once() -> None:
    """Whatever overlaps; gaps do not count."""
    found = merged((0, HOT, "81", "0"), (10, FULL, "0", "51"), (100, HOT, "81", "0"))
    assert covered_seconds(found) == 40 + 30
    assert covered_seconds([]) == 0


@pytest.mark.parametrize(
    ("ratio", "expected"), [(0.001, 1), (0.1, 2), (0.249, 2), (0.25, 3), (0.5, 4), (9.0, 4)]
)
def test_levels_begin_at_their_bounds(ratio: float, expected: int) -> None:
    """Four of them."""
    assert level(ratio) == expected


def test_a_strip_shows_the_worst_of_each_stretch() -> None:
    """An incident fills exactly the stretches it shares time with, one at least."""
    strip = Strip(0, BINS * 10)
    mild, bad = merged((0, HOT, "81", "0"), (20, FULL, "0", "99"))
    assert strip.levels([mild]) == "111" + "0" * (BINS - 3)
    assert strip.levels([bad, mild]) == "11444" + "0" * (BINS - 5)
    assert strip.counts([mild, bad])[:6] == [1, 1, 1, 1, 1, 0]
    late = merged((BINS * 10 - 1, HOT, "81", "0"))
    assert strip.levels(late).rstrip("0").endswith("01")
    assert len(strip.levels(late)) == BINS


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
