"""The times of a data set have one form, which the first good row may decide."""

from pathlib import Path

import pytest
from server_monitoring.model.layout import Layout
from server_monitoring.model.timestamps import CLOCK, ISO, TimeForm
from server_monitoring.sources.dataset import Dataset
from server_monitoring.sources.rows import BadRow, Row
from server_monitoring.sources.times import Times

HEADER = "ts,server_id,cpu_pct\n"


def test_with_an_open_form_the_first_good_row_decides(tmp_path: Path) -> None:
    """A bad row before it does not, and rows of the other form are bad, in each pass."""
    path = tmp_path / "m.csv"
    path.write_text(
        f"{HEADER}20:52:00,a,x\n2026-01-31 20:52:00.5+0100,a,1\n20:52:00,a,1\n"
        "2026-01-31T20:53:00Z,a,1\n"
    )
    with Dataset(path, ["cpu_pct"], None) as dataset:
        for _ in range(2):
            _, first, other, last = dataset.read()
            assert first == Row(3, "2026-01-31T20:52:00+01:00", "a", ["1.0"])
            assert isinstance(last, Row)
            assert isinstance(other, BadRow)
            assert other.problems[0].expected == f"a time {ISO.name} (as in the first good row)"


@pytest.mark.parametrize(
    ("form", "text", "hint"),
    [
        (CLOCK, "1769892720", "epoch seconds are read if pipeline_time_unit is epoch_seconds"),
        (ISO, "1769892720123", "are read if pipeline_time_unit is epoch_milliseconds"),
        (ISO, "20:52:00", "as pipeline_start is written; leave that empty to take the form"),
        (CLOCK, "2026-01-31T20:52:00Z", "as pipeline_start is written; leave that empty"),
        (ISO, "2026-01-31T20:52:00", "the zone is missing, such as Z or +01:00"),
        (None, "2026-01-31 20:52:00", "the zone is missing, such as Z or +01:00"),
    ],
)
def test_a_time_that_is_refused_comes_with_the_way_out(
    form: TimeForm | None, text: str, hint: str
) -> None:
    """Where what it is can be told."""
    with pytest.raises(ValueError, match=r"^a time ") as caught:
        Times(form, "").canonical(text)
    assert hint in str(caught.value)


def test_counts_of_the_setting_s_unit_alone_are_read(tmp_path: Path) -> None:
    """As times in UTC, also where all are well."""
    path = tmp_path / "m.csv"
    path.write_text(f"{HEADER}1769892720999,a,1\n20:52:00,a,1\n1769892730000,a,1\n")
    with Dataset(path, ["cpu_pct"], None, Layout(time_unit="epoch_milliseconds")) as dataset:
        first, bad, last = dataset.read()
    assert isinstance(first, Row)
    assert isinstance(last, Row)
    assert [first.ts, last.ts] == ["2026-01-31T20:52:00Z", "2026-01-31T20:52:10Z"]
    assert isinstance(bad, BadRow)
    assert bad.problems[0].expected == "epoch milliseconds, as pipeline_time_unit says"


def test_many_times_become_what_each_becomes() -> None:
    """Those that are canonical stay the very same list."""
    times = Times(ISO, "")
    canonical = ["2026-01-31T20:52:00Z"] * 3
    assert times.canonical_all(canonical) is canonical
    assert times.canonical_all(["2026-01-31 20:52:00.1Z", *canonical[:1]]) == canonical[:2]
    assert times.canonical_all(["2026-01-31T20:52:00", *canonical]) is None
    assert Times(None, "").canonical_all(canonical) is None
