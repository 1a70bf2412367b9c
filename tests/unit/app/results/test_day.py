"""A day's results are put together: tables and books of several hosts, and the page."""

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from server_monitoring.cli import main
from server_monitoring.errors import ResultsError
from server_monitoring.results import books as books_module
from server_monitoring.results.day import collect_day
from server_monitoring.results.folder import read_results
from server_monitoring.results.merge import Told, _look

GOLDEN = Path(__file__).parent / "golden"
DAY = date(2026, 11, 30)
CLOCK, TEXT = "00:00:00", "2026-11-30T00:00:00Z"
Change = Callable[[dict[str, Any]], object]


def difference(server_id: str, group: str = "cpu_mem") -> dict[str, Any]:
    """Return a difference of the first window."""
    place = {"server_id": server_id, "window_start": TEXT}
    return {"kind": "only live", "group": group, **place, "batch": None, "live": []}


def host_books(group: str, servers: list[str], count: int | None = None) -> dict[str, Any]:
    """Return the books of a host that consumes a group, with differences of these servers."""
    found = [difference(server_id, group) for server_id in servers]
    number = len(found) if count is None else count
    return {
        "day": "2026-11-30",
        "closed": f"2026-12-01T02:3{len(found)}:00Z",
        "windows": {group: 12},
        "alerts_batch": {group: 4},
        "alerts_live": {group: 4 + number},
        "rows": {group: {"read": 24, "sent_twice": 2, "untimely": 1, "after_closing": 0}},
        "differing": {group: number},
        "open": {group: number},
        "differences": {"count": number, "windows": found},
        "late": {"count": 1, "windows": [difference("late", group)]},
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a day's folder with what its three consumers brought."""
    made = tmp_path / "2026-11-30"
    shutil.copytree(GOLDEN / "parts", made / "parts")
    for path in (made / "parts").rglob("*.csv"):
        text = path.read_text(encoding="utf-8")
        path.write_text(
            "".join(_dated(line) for line in text.splitlines(keepends=True)), encoding="utf-8"
        )
    of = {"c1": ("cpu_mem", ["a", "b"]), "c2": ("net_disk", []), "c3": ("cpu_mem", ["c"])}
    for host, (group, servers) in of.items():
        write_books(made, host, host_books(group, servers))
    return made


def _dated(line: str) -> str:
    """Return a row of a table of times of day as one of the day."""
    return ",".join(
        f"2026-11-30T{cell}Z" if len(cell) == 8 and cell[2] == cell[5] == ":" else cell
        for cell in line.split(",")
    )


def write_books(folder: Path, host: str, content: object) -> Path:
    """Write the books of a host."""
    path = folder / "parts" / "books" / f"{host}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def facts(folder: Path, change: Change = lambda _: None) -> Path:
    """Write the day's facts."""
    golden = json.loads((GOLDEN / "facts.json").read_text(encoding="utf-8"))
    content = {name: golden[name] for name in ("config", "analyzed")}
    for entry in content["analyzed"]:
        sums = [_told(path) for path in (folder / "parts" / entry["group"]).glob("*.csv")]
        old = [_told(p) for p in sorted((GOLDEN / "parts" / entry["group"]).glob("*.csv"))]
        parts = sorted((folder / "parts" / entry["group"]).glob("*.csv"))
        now = {was.sha256: _told(part).sha256 for was, part in zip(old, parts, strict=True)}
        entry["sha256"] = now.get(entry["sha256"], sums[0].sha256)
    change(content)
    path = folder.with_name("facts.json")
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def _told(path: Path) -> Told:
    header = path.read_bytes().partition(b"\n")[0].decode() + "\n"
    return _look(path, header)


def test_tables_books_and_manifest_are_of_all_hosts(folder: Path) -> None:
    """Sums, the windows of all differences, and the names that a run's results have."""
    made, books = collect_day(folder, DAY, facts(folder))
    assert books.windows == {"cpu_mem": 24, "net_disk": 12}
    assert books.differing == books.open == {"cpu_mem": 3, "net_disk": 0}
    assert books.rows["cpu_mem"] == {
        "read": 48,
        "sent_twice": 4,
        "untimely": 2,
        "after_closing": 0,
    }
    written = json.loads((folder / "books.json").read_text())
    assert (written["day"], written["closed"]) == ("2026-11-30", "2026-12-01T02:32:00Z")
    assert written["differences"]["count"] == 3
    assert [w["server_id"] for w in written["differences"]["windows"]] == ["a", "b", "c"]
    assert written["late"]["count"] == 3
    names = ["books.json", "manifest.json", "team_47_CPU_MEM.csv", "team_47_NET_DISK.csv"]
    assert sorted(path.name for path in folder.iterdir()) == names
    results = read_results(folder)
    assert results.manifest == made
    assert made.run_id == "2026-11-30"
    assert results.incidents()


def test_the_command_writes_the_page_too_and_says_what_differs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As for a run."""
    argv = ["collect", "--day=2026-11-30", str(folder), f"--facts={facts(folder)}"]
    assert main(argv) == 0
    assert (folder / "report.html").exists()
    out = capsys.readouterr().out
    assert out.startswith("2026-11-30: 36 windows, 12 alerts of the batch analysis, 15 live, ")
    assert "3 differences; 3 late windows" in out
    assert out.endswith(f"Page: {folder}/report.html\nBooks: {folder}/books.json\n")


def test_lists_are_bounded_and_counts_are_exact(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all hosts together."""
    monkeypatch.setattr(books_module, "MOST_LISTED", 3)
    write_books(folder, "c3", host_books("cpu_mem", ["c", "d", "e"], 5_000))
    _, books = collect_day(folder, DAY, facts(folder))
    assert books.differences.count == 5_002
    assert [w["server_id"] for w in books.differences.windows] == ["a", "b", "c"]


def test_what_is_missing_or_of_another_day_is_refused(folder: Path) -> None:
    """And nothing is removed: the same command may be given again."""
    path = write_books(folder, "c2", host_books("net_disk", []) | {"day": "2026-11-29"})
    with pytest.raises(ResultsError, match=r"c2\.json: of day 2026-11-29, expected 2026-11-30"):
        collect_day(folder, DAY, facts(folder))
    path.write_text("[]")
    with pytest.raises(ResultsError, match=r"c2\.json: .*expected the books of a day"):
        collect_day(folder, DAY, facts(folder))
    path.unlink()
    with pytest.raises(ResultsError, match="no books of group net_disk; close the day again"):
        collect_day(folder, DAY, facts(folder))
    write_books(folder, "c2", host_books("net_disk", []))
    with pytest.raises(ResultsError, match="not the facts of a day"):
        collect_day(folder, DAY, facts(folder, lambda content: content["config"].clear()))
    with pytest.raises(ResultsError, match="expected the facts of a day"):
        collect_day(folder, DAY, folder / "none.json")
    assert (folder / "parts").is_dir()
    assert not (folder / "manifest.json").exists()
    shutil.rmtree(folder / "parts" / "books")
    with pytest.raises(ResultsError, match="no books came back from any host"):
        collect_day(folder, DAY, facts(folder))
