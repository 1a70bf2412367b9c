"""Tables are read whole or refused: one line says which file, which row, and what to do."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from server_monitoring.errors import ResultsError
from server_monitoring.results import tables
from server_monitoring.results.folder import Holder, Server, read_results
from server_monitoring.results.series import Series

from tests.support.report_runs import (
    FULL,
    SPIKE,
    clock,
    config,
    describe,
    lab_run,
    window,
    write_run,
    write_table,
)

TABLE = "team_47_CPU_MEM.csv"
GOOD = [
    window("a", 0, 90, 10, SPIKE),
    window("a", 10, 91, 10, SPIKE),
    window("a", 60, 10, 90, FULL),
    window("b", 0, 1, 2),
]


def refused(folder: Path) -> str:
    """Return the one line with which a folder is refused."""
    with pytest.raises(ResultsError) as caught:
        read_results(folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_servers_come_with_their_windows_and_incidents(tmp_path: Path) -> None:
    """The worst server first; gaps in its windows are known."""
    results = read_results(write_run(tmp_path / "r", {"cpu_mem": GOOD}))
    assert [server.name for server in results.servers] == ["a", "b"]
    series = results.servers[0].series["cpu_mem"]
    assert list(series.starts) == [0, 10, 60]
    assert [list(column) for column in series.values] == [[90, 91, 10], [10, 10, 90]]
    assert (list(series.labels), series.gaps) == ([2, 2, 3], [(40, 60)])
    assert [(i.label, i.start, i.end) for i in results.incidents()] == [
        (SPIKE, 0, 40),
        (FULL, 60, 90),
    ]
    assert results.servers[0].alert_seconds == 70
    assert results.servers[1].incidents == []


def test_rows_are_the_same_in_chunks_of_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server longer than a chunk keeps its incidents and gaps whole."""
    folder = write_run(tmp_path / "r", {"cpu_mem": GOOD})
    whole = read_results(folder)
    monkeypatch.setattr(tables, "CHUNK", 1)
    assert read_results(folder) == whole


def test_the_lab_s_results_are_read_with_every_window(tmp_path: Path) -> None:
    """25,920 windows a table, and as many alert windows in incidents as there are labels."""
    results = read_results(lab_run(tmp_path / "lab"))
    for group in results.manifest.groups:
        assert sum(len(server.series[group.name]) for server in results.servers) == 25_920
        found = [i for i in results.incidents() if i.group == group.name]
        for label, count in group.alerts.items():
            assert sum(i.windows for i in found if i.label == label) == count


def test_values_whose_sum_is_no_double_are_finite(tmp_path: Path) -> None:
    """Two of the largest doubles in one table."""
    rows = [["a", clock(s), clock(s + 30), f"{1e308:.2f}", "1.00", SPIKE] for s in (0, 10)]
    results = read_results(write_run(tmp_path / "run", {"cpu_mem": rows}))
    [incident] = results.incidents()
    assert float(incident.worst.value) == 1e308


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    """Half a folder is not taken for a run without alerts."""
    folder = write_run(tmp_path / "r", {"cpu_mem": GOOD})
    (folder / TABLE).unlink()
    assert refused(folder).startswith(f"{folder / TABLE}: missing, though manifest.json names it")


def test_a_table_that_was_cut_or_edited_is_refused(tmp_path: Path) -> None:
    """Its checksum is the manifest's."""
    folder = write_run(tmp_path / "r", {"cpu_mem": GOOD})
    text = (folder / TABLE).read_text(encoding="utf-8")
    (folder / TABLE).write_text(text[:-20], encoding="utf-8")
    assert "incomplete, or edited" in refused(folder)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda rows: rows[1].__setitem__(1, "0:00:10"), "row 1: found ['a', '00:00:00'"),
        (
            lambda rows: rows[1].__setitem__(3, "x"),
            "row 2: found ['a', '00:00:10', '00:00:40', 'x'",
        ),
        (lambda rows: rows[1].__setitem__(3, "nan"), "row 2: found"),
        (lambda rows: rows[2].__setitem__(5, "Unknown"), "row 3: found"),
        (lambda rows: rows[2].append("more"), "row 3: found"),
        (lambda rows: rows[0].__setitem__(3, "10.00"), "row 1: found"),
        (lambda rows: rows.reverse(), "rows from 2 on: a server's windows are not in order"),
        (lambda rows: rows.append(window("a", 90, 1, 1)), "row 5: server_id 'a' is empty or comes"),
        (lambda rows: rows.append(["", *rows[3][1:]]), "row 5: server_id '' is empty"),
    ],
)
def test_a_row_that_no_table_has_is_shown(
    tmp_path: Path, change: Callable[[list[list[str]]], Any], expected: str
) -> None:
    """With its number, even if the checksum agrees."""
    rows = [list(row) for row in GOOD]
    folder = write_run(tmp_path / "r", {"cpu_mem": GOOD})
    change(rows)
    header = ["server_id", "window_start", "window_end", "avg_cpu", "avg_mem", "alert"]
    write_table(folder / TABLE, header, rows)
    describe(folder, config())
    message = refused(folder)
    if expected.startswith("row 1: found ['a', '00:00:00'"):
        assert "row 2: found ['a', '0:00:10'" in message
    else:
        assert expected in message


def test_other_columns_than_the_manifest_s_are_refused(tmp_path: Path) -> None:
    """Both lists are in the message."""
    folder = write_run(tmp_path / "r", {"cpu_mem": GOOD})
    write_table(folder / TABLE, ["server_id", "avg_cpu"], [])
    describe(folder, config())
    assert re.search(r"columns \['server_id', 'avg_cpu'\] found, expected \[", refused(folder))


def test_counts_that_are_not_the_manifest_s_are_refused(tmp_path: Path) -> None:
    """The page never shows two different counts of the same thing."""
    folder = write_run(tmp_path / "r", {"cpu_mem": GOOD})
    path = folder / "manifest.json"
    facts = json.loads(path.read_text(encoding="utf-8"))
    facts["groups"]["cpu_mem"]["alerts"][SPIKE] = 7
    path.write_text(json.dumps(facts), encoding="utf-8")
    assert "windows and alerts (4, {" in refused(folder)


@pytest.mark.parametrize("content", [b"\xff\xfe", b'server_id,"', b"server_id\n\n"])
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    """Not CSV, not UTF-8, an empty line."""
    folder = write_run(tmp_path / "r", {})
    path = folder / "manifest.json"
    facts = json.loads(path.read_text(encoding="utf-8"))
    (folder / TABLE).write_bytes(content)
    facts["groups"]["cpu_mem"]["sha256"] = __import__("hashlib").sha256(content).hexdigest()
    path.write_text(json.dumps(facts), encoding="utf-8")
    assert str(folder / TABLE) in refused(folder)


@pytest.mark.parametrize(
    ("content", "expected"), [(None, "missing"), (b"{", "not valid JSON"), (b"[]", "found []")]
)
def test_a_folder_without_a_manifest_is_refused(
    tmp_path: Path, content: bytes | None, expected: str
) -> None:
    """Missing, broken, or something else."""
    folder = write_run(tmp_path / "r", {})
    if content is None:
        (folder / "manifest.json").unlink()
    else:
        (folder / "manifest.json").write_bytes(content)
    assert expected in refused(folder)
    assert "no such folder" in refused(tmp_path / "none")


def test_memory_is_bounded_by_reducing_all_series_alike() -> None:
    """However many servers come, no more windows are held than allowed."""
    holder = Holder(most=10_000)
    servers = [Server(str(number)) for number in range(40)]
    for server in servers:
        series = Series.empty(1)
        series.starts.extend(range(1_000))
        series.values[0].extend(float(n * 7919 % 1_000) for n in range(1_000))
        series.labels.extend([0] * 1_000)
        holder.add(server, "g", series)
    lengths = [len(server.series["g"]) for server in servers]
    assert sum(lengths) <= 10_000
    assert min(lengths) > 20
    for server in servers:
        held = server.series["g"]
        assert (min(held.values[0]), max(held.values[0])) == (0, 999)
        assert (held.starts[0], held.starts[-1], held.whole) == (0, 999, False)
