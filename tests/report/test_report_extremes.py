"""Pages of unusual runs: hostile names, nothing in them, only alerts, dates, very many servers."""

from collections.abc import Callable
from pathlib import Path

import pytest
from server_monitoring.cli import main

from tests.report.report_browser import PHONE, Opened
from tests.support.report_runs import FULL, HIGH, SPIKE, config, wide_run, window, write_run

Open = Callable[..., Opened]
TO = "\N{EN DASH}"
HOSTILE = [
    "<script>document.title='broken'</script>",
    "</script><img src=x onerror=document.title='broken'>",
    "\"quoted\" & 'apostrophes' `ticks` ${title}",
    "@@script@@ <!-- --> ]]>",
    "\u202egnp.evil\u2066",
    "\u0627\u0644\u062e\u0627\u062f\u0645 1",
    "line\nend\u2028and\u2029more",
    "=HYPERLINK(1)",
    "x" * 200,
]
# As the page writes them: what would break a line or turn it round is written out.
SHOWN = sorted(
    name.replace("\u202e", "\\u202e")
    .replace("\u2066", "\\u2066")
    .replace("\n", "\\u000a")
    .replace("\u2028", "\\u2028")
    .replace("\u2029", "\\u2029")
    for name in HOSTILE
)


def page_of(folder: Path, *more: str) -> Path:
    """Make a run's page and return its path."""
    assert main(["report", str(folder), *more]) == 0
    return folder / "report.html"


@pytest.mark.parametrize("size", [(1280, 800), PHONE])
def test_hostile_server_ids_show_as_text(
    tmp_path: Path, opened: Open, size: tuple[int, int]
) -> None:
    """In tables, choices, charts and changes: character by character, and nothing runs."""
    rows = [row for name in sorted(HOSTILE, key=str.encode) for row in _rows(name)]
    run = write_run(tmp_path / "hostile", {"cpu_mem": rows})
    quiet = write_run(tmp_path / "quiet", {})
    page = opened(page_of(run, "--against", str(quiet)), size=size)
    assert page.page.title() == "Run hostile: server monitoring"
    page.page.locator("#servers-table .pager select").select_option("50")
    for table in ("#servers-table", "#incidents-table", "#changes-table"):
        shown = page.page.locator(f"{table} tbody tr:not(.all) .name bdi").all_text_contents()
        assert sorted(shown) == SHOWN
    options = page.page.locator("#detail-server option").all_text_contents()
    assert sorted(options) == SHOWN
    for number in range(len(HOSTILE)):
        page.page.locator("#detail-server").select_option(index=number)
        page.page.wait_for_selector(f"#charts[data-server='{number}']")
    assert page.page.locator("img, iframe, object").count() == 0
    assert page.page.locator("body script").count() == 4
    assert page.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert page.violations() == []


def _rows(name: str) -> list[list[str]]:
    return [window(name, 0, 90, 90, HIGH), window(name, 60, 1, 1)]


def test_hostile_labels_and_run_names_show_as_text(tmp_path: Path, opened: Open) -> None:
    """Whatever the settings say."""
    values = config()
    label = "</script><b>5 > 3</b>"
    values["groups"]["cpu_mem"]["labels"]["first"] = label
    run = write_run(tmp_path / "a&b", {"cpu_mem": [window("a", 0, 90, 1, label)]}, values)
    page = opened(page_of(run))
    assert page.page.title() == "Run a&b: server monitoring"
    assert page.column("incidents-table", 2) == [label]
    assert label in page.page.locator("#worst").inner_text()


def test_an_empty_run_says_so(tmp_path: Path, opened: Open) -> None:
    """No windows: no table to look for them in."""
    page = opened(page_of(write_run(tmp_path / "empty", {})))
    assert page.texts("#verdict") == ["No windows: no server had values in this run"]
    for part in ("#servers", "#incidents", "#detail"):
        assert not page.page.locator(part).is_visible()
    assert "metrics.csv" in page.page.locator("#facts").inner_text()
    assert page.violations() == []


def test_a_run_without_alerts_says_so_and_shows_its_windows(tmp_path: Path, opened: Open) -> None:
    """Servers and charts are there, the incidents are none."""
    rows = [window(name, 10 * n, 1 + n, 2) for name in ("a", "b") for n in range(20)]
    page = opened(page_of(write_run(tmp_path / "calm", {"cpu_mem": rows})))
    assert page.texts("#verdict") == ["\N{CHECK MARK} No incidents on 2 servers"]
    assert page.texts("#worst") == ["No value was above its threshold."]
    assert page.column("servers-table", 1) == ["a", "b"]
    assert not page.page.locator("#incidents").is_visible()
    assert page.page.locator(".plot canvas").count() == 4
    assert page.violations() == []


def test_a_run_of_alerts_alone_is_one_incident_a_server(tmp_path: Path, opened: Open) -> None:
    """From the first window to the last."""
    rows = [window(name, 10 * n, 90, 90, HIGH) for name in ("a", "b") for n in range(20)]
    page = opened(page_of(write_run(tmp_path / "alerts", {"cpu_mem": rows})))
    assert page.texts("#verdict") == ["2 incidents on 2 of 2 servers"]
    assert page.column("incidents-table", 3) == [f"00:00:00 {TO} 00:03:40"] * 2
    assert page.column("servers-table", 4) == ["3 min 40 s"] * 2


def test_dates_are_shown_in_the_run_s_own_zone(tmp_path: Path, opened: Open) -> None:
    """As its tables write them, wherever the page is opened."""
    times = ["2026-01-31T23:59:50+05:30", "2026-02-01T00:00:20+05:30"]
    values = config(start="2026-01-31T00:00:00+05:30")
    rows = [["a", *times, "90.00", "1.00", SPIKE]]
    page = opened(page_of(write_run(tmp_path / "dated", {"cpu_mem": rows}, values)))
    assert page.column("incidents-table", 3) == [f"2026-01-31 23:59:50 {TO} 2026-02-01 00:00:20"]
    assert "(+05:30)" in page.page.locator("#about").inner_text()


def test_changes_against_another_run_are_listed(tmp_path: Path, opened: Open) -> None:
    """With what they were, and how many of each."""
    now = write_run(
        tmp_path / "now",
        {"cpu_mem": [window("a", 0, 90, 1, SPIKE), window("b", 0, 1, 90, FULL)]},
    )
    rows = [window("a", 10, 95, 1, SPIKE), window("c", 0, 1, 90, FULL)]
    was = write_run(tmp_path / "was", {"cpu_mem": rows})
    page = opened(page_of(now, "--against", str(was)))
    assert page.texts("#changes-title") == ["Compared with run was"]
    assert page.texts("#changes-about") == ["1 new, 1 gone, 1 changed."]
    assert page.column("changes-table", 1) == ["changed", "new", "gone"]
    assert f"was 00:00:10 {TO} 00:00:40" in page.column("changes-table", 4)[0]
    assert page.violations() == []


def test_five_hundred_servers_stay_usable(tmp_path: Path, opened: Open) -> None:
    """The page is below 5 MB, opens, answers, and finds each server."""
    path = page_of(wide_run(tmp_path / "wide", 500, 400))
    assert path.stat().st_size < 5_000_000
    page = opened(path)
    assert page.page.locator("#servers-table [role=status]").inner_text() == f"1{TO}8 of 500"
    for act in (
        lambda: page.page.locator("#servers-table .pager select").select_option("500"),
        lambda: page.page.locator("#servers-filter").fill("00317"),
        lambda: page.page.locator("#servers-table tbody tr:not(.all) button").click(),
        lambda: page.page.locator("#charts:focus").wait_for(),
        lambda: page.page.locator("#incidents-server").fill("server-0031"),
    ):
        act()
        page.page.evaluate("new Promise(requestAnimationFrame)")
    assert page.page.locator("#detail-server option:checked").inner_text() == "server-00317"
    assert set(page.column("incidents-table", 1)) <= {f"server-0031{n}" for n in range(10)}
