"""Times of day that go back within a server are found, however the rows are ordered."""

import random
from collections.abc import Iterable
from pathlib import Path

import pytest
from server_monitoring.errors import DatasetError
from server_monitoring.sources import clocks
from server_monitoring.sources.clocks import Clocks
from server_monitoring.sources.dataset import Dataset

Reading = tuple[str, str]  # time and server


def clock(second: int) -> str:
    """Return a second of a day as text."""
    return f"{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}"


def watch(rows: Iterable[Reading], size: int) -> None:
    """Watch rows in blocks of a size."""
    watched, rows = Clocks("m.csv: line"), list(rows)
    for at in range(0, len(rows), size):
        times, servers = zip(*rows[at : at + size], strict=True)
        watched.watch(range(at + 2, at + 2 + len(times)), times, servers)


def verdict(rows: Iterable[Reading], size: int) -> str:
    """Return why rows are refused, or nothing."""
    try:
        watch(rows, size)
    except DatasetError as error:
        return str(error)
    return ""


DAY = [(clock(s), f"s{i}") for s in range(0, 86_400, 600) for i in range(3)]
GOOD = {
    "all servers at a time": DAY,
    "one server after another": sorted(DAY, key=lambda row: (row[1], row[0])),
    "newest first": DAY[::-1],
    "less than half an hour back": [("10:29:59", "a"), ("10:00:00", "a"), ("10:29:59", "a")],
    "servers whose clocks differ": [("23:00:00", "a"), ("01:00:00", "b")] * 3,
}


@pytest.mark.parametrize("size", [1, 7, 1_000])
@pytest.mark.parametrize("name", GOOD)
def test_one_day_in_any_usual_order_is_fine(name: str, size: int) -> None:
    """Half an hour is more than clocks that are set right go back."""
    watch(GOOD[name], size)


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_the_row_that_goes_back_is_named(size: int) -> None:
    """With its server and both times."""
    rows = [*DAY, ("23:55:00", "s1"), ("00:05:00", "s2"), ("00:00:00", "s1")]
    with pytest.raises(DatasetError) as caught:
        watch(rows, size)
    assert str(caught.value).startswith(
        f"m.csv: line {len(DAY) + 3}: the clock of server 's2' goes back from 23:50:00 to 00:05:00"
    )


@pytest.mark.parametrize("seed", range(20))
def test_many_rows_at_once_are_judged_as_row_by_row(seed: int) -> None:
    """The short cuts decide nothing else."""
    rng = random.Random(seed)
    rows = []
    now = dict.fromkeys("abc", 40_000)
    for _ in range(300):
        server = rng.choice("abc")
        now[server] += rng.choice([-1_790, -900, 0, 10, 600]) + (rng.random() < 0.01) * -1_200
        rows.append((clock(max(0, now[server])), server))
    assert len({verdict(rows, size) for size in (1, 13, 300)}) == 1


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more servers the first ones are watched."""
    monkeypatch.setattr(clocks, "SERVERS", 10)
    watched = Clocks("m.csv: line")
    for at in range(100):
        watched.watch([2, 3], ["20:00:00"] * 2, [f"s{2 * at}", f"s{2 * at + 1}"])
    assert len(watched._last) == 10  # noqa: SLF001
    watched.watch([1], ["01:00:00"], ["s150"])
    with pytest.raises(DatasetError, match="'s5' goes back"):
        watched.watch([1], ["01:00:00"], ["s5"])


def test_dates_may_go_back_and_bad_rows_do_not_count(tmp_path: Path) -> None:
    """ISO 8601 says which day it is; a row that is left out has no time."""
    path = tmp_path / "m.csv"
    header = "ts,server_id,cpu_pct\n"
    path.write_text(f"{header}2026-01-31T20:00:00Z,a,1\n2026-01-30T20:00:00Z,a,1\n")
    with Dataset(path, ["cpu_pct"], None) as dataset:
        assert dataset.validate().rows == 2
    path.write_text(f"{header}20:00:00,a,1\n01:00:00,a,x\n20:00:10,a,1\n")
    with Dataset(path, ["cpu_pct"], None) as dataset:
        assert dataset.validate().bad_rows == 1
