"""What a page holds stays small, and keeps every extreme."""

import base64
import json
import random
import zlib
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from server_monitoring.report.overview import overview
from server_monitoring.report.payload import (
    list_incidents,
    pack,
    pack_servers,
    series_block,
    server_block,
)
from server_monitoring.results.folder import read_results
from server_monitoring.results.series import Series, extremes

from tests.support.app_settings import metric_group
from tests.support.report_runs import config, window, write_run

SPIKE = "CPU spike suspected"


def unpack(text: str) -> Any:
    """Return what `pack` packed."""
    return json.loads(zlib.decompress(base64.b64decode(text)))


def series_of(*columns: list[float]) -> Series:
    """Return a series with a window every 10 s."""
    made = Series.empty(len(columns))
    made.starts.extend(10 * place for place in range(len(columns[0])))
    made.labels.extend([0] * len(columns[0]))
    for column, values in zip(made.values, columns, strict=True):
        column.extend(values)
    return made


@given(st.integers(0, 2**32), st.integers(1, 300), st.integers(1, 20))
def test_every_stretch_keeps_its_lowest_and_highest_value(
    seed: int, length: int, stretches: int
) -> None:
    """Of both metrics, with both ends, and never more than four windows a stretch and the ends."""
    rng = random.Random(seed)
    values = [rng.uniform(-1e6, 1e6) for _ in range(length)]
    made = series_of(values, [rng.uniform(-1, 1) for _ in range(length)])
    kept = extremes(made.values, stretches)
    assert kept == sorted(set(kept))
    assert {0, length - 1} <= set(kept)
    assert len(kept) <= 4 * stretches + 2
    for stretch in range(stretches if length > 4 * stretches else 0):
        inside = range(stretch * length // stretches, (stretch + 1) * length // stretches)
        for column in made.values:
            shown = [column[place] for place in kept if place in inside]
            whole = [column[place] for place in inside]
            assert (min(shown), max(shown)) == (min(whole), max(whole))


def test_all_windows_are_exact_where_they_fit() -> None:
    """Values with all their digits, starts as steps."""
    made = series_of([37.54904308617235, 1.0, 2.5])
    block = series_block(made, None)
    assert block["values"] == [[37.54904308617235, 1.0, 2.5]]
    assert (block["first"], block["steps"]) == (0, [10, 10])


def test_a_reduced_series_holds_rows_of_the_table() -> None:
    """Each with the value that it has there, to five digits."""
    rng = random.Random(4)
    values = [rng.uniform(0, 1e4) for _ in range(500)]
    block = series_block(series_of(values), 20)
    starts = [block["first"]]
    for step in block["steps"]:
        starts.append(starts[-1] + step)
    assert 20 < len(starts) <= 42
    for start, value in zip(starts, block["values"][0], strict=True):
        assert value == float(f"{values[start // 10]:.5g}")


def test_alert_spans_are_exact_however_much_is_left_out(tmp_path: Path) -> None:
    """From the incidents themselves, with the metrics that were above."""
    rows = [window("a", 10 * n, 90 if 500 <= n < 503 else n % 50, 1) for n in range(2_000)]
    for row in rows[500:503]:
        row[5] = SPIKE
    results = read_results(write_run(tmp_path / "r", {"cpu_mem": rows}))
    for stretches in (None, 5):
        [cpu_mem, net_disk] = unpack(server_block(results, results.servers[0], stretches))
        assert cpu_mem["spans"] == [[1, 5_000, 5_050, [0]]]
        assert net_disk["spans"] == []


def many(tmp_path: Path, servers: int) -> Path:
    """Write a run of servers with noise and an incident each."""
    rng = random.Random(1)
    rows = []
    for server in range(servers):
        name = f"s{server:04d}"
        rows += [window(name, 10 * n, rng.uniform(0, 80), rng.uniform(0, 80)) for n in range(100)]
        rows[-3:] = [window(name, 10 * n, 83 + server, 1, SPIKE) for n in range(97, 100)]
    return write_run(tmp_path / "many", {"cpu_mem": rows})


def test_blocks_fit_their_room_with_less_detail_and_at_last_fewer_servers(tmp_path: Path) -> None:
    """The worst servers are first, so they are the ones that keep their charts."""
    results = read_results(many(tmp_path, 30))
    whole = pack_servers(results)
    assert whole.whole
    assert len(whole.texts) == 30
    full = sum(map(len, whole.texts))
    coarse = pack_servers(results, full * 2 // 3)
    assert not coarse.whole
    assert len(coarse.texts) == 30
    assert full // 4 < sum(map(len, coarse.texts)) <= full * 2 // 3
    few = pack_servers(results, full // 20)
    assert 0 < len(few.texts) < 30
    assert sum(map(len, few.texts)) <= full // 20
    assert results.servers[0].name == "s0029"


def test_blocks_fit_their_room_also_where_a_few_servers_tell_nothing_of_the_others(
    tmp_path: Path,
) -> None:
    """Detail is guessed from some servers; the sum of all is what counts."""
    rng = random.Random(2)
    rows = []
    for server in range(24):
        name = f"s{server:02d}"
        rows += [window(name, 0, 150 - server, 1, SPIKE)]
        more = range(100, 500) if server % 2 else range(100, 103)
        rows += [window(name, 10 * n, rng.uniform(0, 80), rng.uniform(0, 80)) for n in more]
    results = read_results(write_run(tmp_path / "uneven", {"cpu_mem": rows}))
    size = sum(map(len, pack_servers(results).texts)) // 2
    blocks = pack_servers(results, size)
    assert len(blocks.texts) == 24
    assert sum(map(len, blocks.texts)) <= size


def test_the_worst_incidents_are_listed_where_not_all_fit(tmp_path: Path) -> None:
    """And the page knows how many there are."""
    results = read_results(many(tmp_path, 30))
    incidents = results.worst_first()
    assert list_incidents(results, incidents, 100_000).shown == 30
    listed = list_incidents(results, incidents, 400)
    assert (0 < listed.shown < 30, listed.total) == (True, 30)
    assert len(pack(listed.columns)) <= 400
    assert listed.columns["peak"][0] == "112.00"


def test_a_server_s_strip_and_worst_incident_are_in_the_overview(tmp_path: Path) -> None:
    """Its label, times, peak and how far above."""
    results = read_results(many(tmp_path, 2))
    made = overview(results, pack_servers(results), None)
    assert made["servers"]["id"] == ["s0001", "s0000"]
    assert made["servers"]["worst"][0] == [SPIKE, 970, 1_020, "avg_cpu", "84.00", 970, 2.3]
    assert set(made["servers"]["strip"][0][0]) == {"0", "1"}
    assert set(made["servers"]["strip"][0][1]) == {"0"}
    assert max(made["all"][0]) == 2
    assert (made["time"]["first"], made["time"]["last"]) == (0, 1_020)


def test_a_third_metric_group_needs_no_code(tmp_path: Path) -> None:
    """Its columns, labels and file come from the manifest alone."""
    third = metric_group(
        {"topic-temp": ("temp", "max_temp"), "topic-fan": ("fan", "max_fan")},
        ("maximum", "rows", "heat.csv"),
        ("Meltdown", "Hot", "Loud"),
    )
    base = config()
    values = config(
        groups={**base["groups"], "heat": third},
        thresholds={**base["thresholds"], "temp": 70, "fan": 3000},
    )
    rows = [["a", "00:00:00", "00:00:30", "71.5", "10.0", "Hot"]]
    results = read_results(write_run(tmp_path / "r", {"heat": rows}, values))
    made = overview(results, pack_servers(results), None)
    assert made["groups"][2]["metrics"][0] == {
        "name": "max_temp",
        "column": "temp",
        "threshold": 70,
    }
    assert made["groups"][2]["labels"][1] == {"text": "Hot", "windows": 1, "incidents": 1}
    assert made["servers"]["worst"] == [["Hot", 0, 30, "max_temp", "71.5", 0, 2.1]]
    assert len(made["servers"]["strip"][0]) == 3
