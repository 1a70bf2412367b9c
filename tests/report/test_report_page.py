"""The page in a real browser: what it shows, sorts, filters, zooms, and never does."""

import csv
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.report.report_browser import PHONE, Opened
from tests.support.report_runs import LAB_TABLES

Open = Callable[..., Opened]
# Between the two ends of a span.
TO = "\N{EN DASH}"


def incidents_of(folder: Path) -> list[dict[str, str]]:
    """Return the rows of a run's incidents.csv."""
    with (folder / "incidents.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def number(text: str) -> int:
    """Return a count as the page writes it."""
    return int(text.replace(",", ""))


def test_the_top_of_the_page_says_which_server_what_when_and_how_bad(
    lab: Path, opened: Open
) -> None:
    """Without scrolling at 1280 x 800: each server with its worst incident, and the worst."""
    page = opened(lab / "report.html").page
    worst = max(incidents_of(lab), key=lambda row: float(row["above_percent"]))
    told = page.locator("#worst").inner_text()
    for part in (worst["server_id"], worst["alert"], worst["incident_start"]):
        assert part in told
    assert f"+{float(worst['above_percent']):.0f} %" in told
    servers = page.locator("#servers-table tbody tr:not(.all)")
    assert servers.count() == 3
    for selector in ("#worst", "#servers-table", "#incidents-table tbody tr:nth-child(3)"):
        box = page.locator(selector).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 800, selector


def test_counts_are_those_of_the_tables(lab: Path, opened: Open) -> None:
    """Windows of each label, incidents of each label and server, and all of them together."""
    page = opened(lab / "report.html")
    windows: Counter[str] = Counter()
    for table in LAB_TABLES.values():
        with table.open(encoding="utf-8", newline="") as lines:
            windows.update(row["alert"] for row in csv.DictReader(lines))
    incidents = incidents_of(lab)
    by_label = Counter(row["alert"] for row in incidents)
    by_server = Counter(row["server_id"] for row in incidents)
    cards = page.texts(".card")
    assert len(cards) == 6
    for card in cards:
        count, label, rest = card.split("\n")
        assert number(count) == by_label[label]
        assert number(rest.split(" ")[0]) == windows[label]
    assert page.texts("#verdict") == [f"{len(incidents)} incidents on 3 of 3 servers"]
    shown = dict(zip(page.column("servers-table", 1), page.column("servers-table", 3), strict=True))
    assert {name: number(count) for name, count in shown.items()} == by_server


def test_every_incident_of_the_csv_is_listed_with_its_exact_peak(lab: Path, opened: Open) -> None:
    """Server, label, times, windows and peak of all rows, none more."""
    page = opened(lab / "report.html")
    page.page.locator("#incidents-table .pager select").select_option("500")
    shown = page.page.locator("#incidents-table tbody tr").evaluate_all(
        "rows => rows.map(r => [...r.children].map(c => c.innerText.trim())"
        ".concat(r.querySelector('data').value))"
    )
    found = sorted(
        (
            server,
            label,
            *when.replace(" next day", "").split(f" {TO} "),
            windows.replace(",", ""),
            peak,
        )
        for server, label, when, _, windows, _, _, _, peak in shown
    )
    keys = ("server_id", "alert", "incident_start", "incident_end", "windows", "peak")
    assert found == sorted(tuple(row[key] for key in keys) for row in incidents_of(lab))


def test_headings_sort_both_ways_by_mouse_and_keyboard(lab: Path, opened: Open) -> None:
    """Numbers as numbers; the heading says which way."""
    page = opened(lab / "report.html")
    page.page.locator("#incidents-table .pager select").select_option("500")
    heading = page.page.locator("#incidents-table thead th", has_text="Windows")
    assert heading.get_attribute("aria-sort") == "none"
    heading.locator("button").click()
    counts = [number(text) for text in page.column("incidents-table", 5)]
    assert heading.get_attribute("aria-sort") == "descending"
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 100 > counts[-1]
    heading.locator("button").focus()
    page.page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    assert [number(text) for text in page.column("incidents-table", 5)] == sorted(counts)


def test_filters_narrow_the_incidents_and_say_how_many_are_left(lab: Path, opened: Open) -> None:
    """By a part of the server's name, by label, by a label's card; and all again."""
    page = opened(lab / "report.html")
    incidents = incidents_of(lab)
    status = page.page.locator("#incidents-table .pager [role=status]")
    page.page.locator("#incidents-server").fill("DAY4")
    mine = [row for row in incidents if row["server_id"] == "machine-day4"]
    assert f"of {len(mine)} (of {len(incidents)})" in status.inner_text()
    page.page.locator("#incidents-label").select_option(label="CPU spike suspected")
    both = [row for row in mine if row["alert"] == "CPU spike suspected"]
    assert f"of {len(both)} (of" in status.inner_text()
    assert set(page.column("incidents-table", 2)) == {"CPU spike suspected"}
    page.page.locator("#incidents-server").fill("no such server")
    assert "none" in status.inner_text()
    page.page.locator("#incidents-clear").click()
    assert status.inner_text() == f"1{TO}12 of {len(incidents)}"
    card = page.page.locator(".card", has_text="Possible DDoS")
    card.click()
    assert card.get_attribute("aria-pressed") == "true"
    assert set(page.column("incidents-table", 2)) == {"Possible DDoS"}


def test_pages_of_a_table_turn(lab: Path, opened: Open) -> None:
    """Next and previous show other rows, and end at the ends."""
    page = opened(lab / "report.html")
    first = page.column("incidents-table", 3)
    before, after = (
        page.page.locator("#incidents-table .pager button", has_text=t)
        for t in ("Previous", "Next")
    )
    assert before.is_disabled()
    after.click()
    assert page.column("incidents-table", 3) != first
    before.click()
    assert page.column("incidents-table", 3) == first


def test_charts_zoom_and_move_by_keyboard_button_and_drag(lab: Path, opened: Open) -> None:
    """All charts show the same time, which the page says."""
    page = opened(lab / "report.html")
    whole = page.view()
    assert whole.startswith(f"00:00:00 {TO} 00:00:20 next day")
    page.page.locator("#charts").focus()
    page.page.keyboard.press("+")
    assert page.view().startswith(f"06:00:05 {TO} 18:00:15 (12 h 10 s)")
    page.page.keyboard.press("ArrowRight")
    assert page.view().startswith(f"09:00:08 {TO} 21:00:18")
    page.page.keyboard.press("0")
    assert page.view() == whole
    page.page.locator("#zoom-in").click()
    page.page.locator("#zoom-out").click()
    assert page.view() == whole
    over = page.page.locator(".u-over").first
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.page.mouse.move(box["x"] + box["width"] * 0.25, middle)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + box["width"] * 0.5, middle, steps=4)
    page.page.mouse.up()
    assert re.match(rf"0(5:5|6:0)\d:\d\d {TO} 1(1:5|2:0)\d:\d\d", page.view()), page.view()
    over.dblclick()
    assert page.view() == whole


def test_a_chart_tells_the_value_under_the_pointer(lab: Path, opened: Open) -> None:
    """Exactly as the table has it, with its window and its alert."""
    page = opened(lab / "report.html")
    with LAB_TABLES["net_disk"].open(encoding="utf-8", newline="") as lines:
        rows = {(r["server_id"], r["window_start"]): r for r in csv.DictReader(lines)}
    worst = max(incidents_of(lab), key=lambda row: float(row["above_percent"]))
    name = worst["server_id"]
    page.page.locator("#incidents-table tbody tr:first-child button").click()
    chart = page.page.locator(".chart", has=page.page.get_by_role("heading", name="max_disk_io"))
    over = chart.locator(".u-over")
    box = over.bounding_box()
    assert box is not None
    page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    told = chart.locator(".readout").inner_text()
    start = re.search(r"\d\d:\d\d:\d\d", told)
    assert start is not None, told
    row = rows[name, start[0]]
    assert told.split(" ")[0] == row["max_disk_io"]
    assert row["alert"] in told
    assert page.page.locator("#detail-server option:checked").inner_text() == name


def test_the_windows_shown_stand_as_tables_too(lab: Path, opened: Open) -> None:
    """Whoever cannot see the charts reads the same values; they follow the zoom."""
    page = opened(lab / "report.html")
    page.page.locator("#detail-server").select_option(label="machine-day3")
    page.page.wait_for_selector("#charts[data-server]")
    page.page.locator("#rows summary").click()
    status = page.page.locator("#rows-tables .pager [role=status]").first
    assert status.inner_text() == f"1{TO}12 of 8,640"
    with LAB_TABLES["cpu_mem"].open(encoding="utf-8", newline="") as lines:
        first = next(row for row in csv.DictReader(lines) if row["server_id"] == "machine-day3")
    cells = page.page.locator("#rows-tables tbody tr").first.locator("th, td").all_inner_texts()
    assert cells[0] == f"{first['window_start']} {TO} {first['window_end']}"
    assert [float(cell) for cell in cells[1:3]] == [float(first[k]) for k in ("avg_cpu", "avg_mem")]
    page.page.locator("#zoom-in").click()
    assert number(status.inner_text().split(" ")[-1]) < 4_400


def test_choosing_an_incident_shows_its_server_at_its_time(lab: Path, opened: Open) -> None:
    """By keyboard: the charts then have the focus."""
    page = opened(lab / "report.html")
    when = page.column("incidents-table", 3)[2]
    server = page.column("incidents-table", 1)[2]
    page.page.locator("#incidents-table tbody tr:nth-child(3) button").focus()
    page.page.keyboard.press("Enter")
    page.page.locator("#charts:focus").wait_for()
    assert page.page.locator("#detail-server option:checked").inner_text() == server
    start, end = when.split(f" {TO} ")
    begin, finish = page.view().split(" (")[0].split(f" {TO} ")
    assert begin < start < end < finish


@pytest.mark.parametrize(
    ("size", "scheme"), [((1280, 800), "light"), ((1280, 800), "dark"), (PHONE, "light")]
)
def test_axe_finds_nothing_at_aa(
    lab: Path, opened: Open, size: tuple[int, int], scheme: str
) -> None:
    """Contrast, names, roles and landmarks, with every part of the page open."""
    page = opened(lab / "report.html", size=size, scheme=scheme)
    page.page.locator("#rows summary").click()
    page.page.locator("footer summary").click()
    assert page.violations() == []


def test_nothing_is_wider_than_a_phone(lab: Path, opened: Open) -> None:
    """Only tables may scroll sideways, by themselves."""
    page = opened(lab / "report.html", size=PHONE).page
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_light_and_dark_follow_the_system_while_the_page_is_open(lab: Path, opened: Open) -> None:
    """The charts are drawn anew in the other colours."""
    page = opened(lab / "report.html").page
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    before = page.locator(".plot canvas").first.screenshot()
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(100)
    assert page.evaluate(ground) == "rgb(17, 21, 26)"
    assert page.locator(".plot canvas").first.screenshot() != before


def test_it_prints_every_incident_in_light_colours(lab: Path, opened: Open) -> None:
    """What is on paper needs no button; afterwards the page is as before."""
    page = opened(lab / "report.html", scheme="dark").page
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#incidents-table tbody tr").count() == len(incidents_of(lab))
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("#incidents-table tbody tr").count() == 12
    page.emulate_media(media="print")
    assert not page.locator("#incidents-table .pager").is_visible()


def test_the_page_may_not_ask_for_anything(lab: Path, opened: Open) -> None:
    """Even a script that tried would be refused by the page's own policy."""
    opened_page = opened(lab / "report.html")
    refused = opened_page.page.evaluate(
        "fetch('http://127.0.0.1:9/').then(() => false, () => true)"
    )
    assert refused
    assert any("Content Security Policy" in problem for problem in opened_page.problems)
    opened_page.problems.clear()
    opened_page.requests[:] = [opened_page.url]
