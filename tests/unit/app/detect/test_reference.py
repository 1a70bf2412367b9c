"""The reference data through the engine: both tables, every window, the last ones too."""

import csv

import pytest
from server_monitoring.detect.engine import Engine
from server_monitoring.model.live import CLOCK_SECONDS
from server_monitoring.model.timestamps import CLOCK, time_text

from tests.support.project import PROJECT
from tests.support.reference_tables import tables
from tests.unit.app.detect.detect_rows import DAY, Given, feed, numbered, rules

DATASET = PROJECT / "files/datasets/alibaba2018_days_3-5.csv"
LIMITS = {"cpu_pct": "56.0", "mem_pct": "91.4", "net_in": "42.3", "disk_io": "16.0"}


def replayed(group: str) -> list[list[str]]:
    """Return the table's rows from the engine: those of windows that start on the day."""
    of = rules(group, LIMITS)
    with DATASET.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    engine = Engine(of)
    given = [
        [Given(DAY + CLOCK.to_seconds(r["ts"]), r["server_id"], r[metric.column]) for r in rows]
        for metric in of.group.metrics
    ]
    feed(engine, [numbered(metric) for metric in given])
    # No row of the day is taken so long after its end: so the last windows close as well.
    engine.tick(DAY + 86_400 + 30 + of.late_seconds + CLOCK_SECONDS)
    return sorted(
        [
            server_id,
            *(time_text(second - DAY, CLOCK.epoch) for second in (start, start + 30)),
            *of.texts(numbers).values(),
            label,
        ]
        for server_id, (start, numbers), label in engine.output().windows
        if start >= DAY
    )


@pytest.mark.parametrize(("group", "place"), [("cpu_mem", 0), ("net_disk", 1)])
def test_both_tables_are_those_of_exact_arithmetic(group: str, place: int) -> None:
    """Value by value and label by label."""
    expected = tables(DATASET, LIMITS, start="00:00:00")[place]
    assert len(expected) == 25_920
    assert replayed(group) == expected
