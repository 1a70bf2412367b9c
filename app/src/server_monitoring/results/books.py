"""Closing a day's books: whether its live alerts are those of the batch analysis.

A day's folder has what the analysis wrote of it: a table for each group, with its summary. Each
window of a table that has an alert must be one live alert with the same label and values, and each
live alert such a window; everything else is a difference. Windows that hold rows which came too
late, or too early, to count live are listed apart: `days` says what those are; and so are those of
servers that are watched no more. While a day goes on, or late rows still count for it, a server's
windows that may get more rows than were analyzed are open: they are counted, and not compared.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from server_monitoring import __version__
from server_monitoring.errors import ResultsError, one_line
from server_monitoring.host.durable import write_json
from server_monitoring.host.runs import Day
from server_monitoring.host.summary import utc_now
from server_monitoring.model.csv_text import unmarked
from server_monitoring.model.groups import Group, Metric, table_columns
from server_monitoring.model.live import WINDOW, utc_text
from server_monitoring.model.timestamps import ISO
from server_monitoring.model.windows import Windows
from server_monitoring.store.days import UNTIMELY
from server_monitoring.store.raw import day_rows
from server_monitoring.store.sidecar import read_sidecar

BOOKS = "books.json"
# Of each kind; all are counted.
MOST_LISTED = 1_000
# What a difference is.
ONLY_BATCH, ONLY_LIVE, OTHER, TWICE = "only batch", "only live", "other", "twice"


class Place(NamedTuple):
    """A window of one server: its start as the table has it."""

    server_id: str
    window_start: str


class Said(NamedTuple):
    """What one side says of a window: its end, label and values."""

    window_end: str
    alert: str
    values: dict[str, str]


@dataclass
class Listed:
    """Windows of which not all can be shown."""

    count: int = 0
    windows: list[dict[str, object]] = field(default_factory=list)

    def add(self, window: dict[str, object]) -> None:
        """Count a window, and keep the first ones."""
        self.count += 1
        if len(self.windows) < MOST_LISTED:
            self.windows.append(window)

    def extend(self, windows: Sequence[dict[str, object]], count: int) -> None:
        """Take `count` windows of which these are listed."""
        self.count += count
        self.windows += windows[: MOST_LISTED - len(self.windows)]


@dataclass
class Books:
    """What came out, of all groups."""

    windows: dict[str, int] = field(default_factory=dict)
    alerts_batch: dict[str, int] = field(default_factory=dict)
    alerts_live: dict[str, int] = field(default_factory=dict)
    rows: dict[str, dict[str, int]] = field(default_factory=dict)
    differing: dict[str, int] = field(default_factory=dict)
    differences: Listed = field(default_factory=Listed)
    late: Listed = field(default_factory=Listed)
    open: dict[str, int] = field(default_factory=dict)


def close_day(
    day: Day,
    groups: Sequence[Group],
    windows: Windows,
    alerts: Callable[[Group], Iterable[str]],
    servers: Collection[str] = (),
    tell: Callable[[Books], object] = lambda _: None,
    *,
    is_over: bool = True,
) -> Books:
    """Compare a day's tables with its live alerts, and write `books.json` beside them.

    Args:
        day: its folder has the tables and the segments.
        groups: those to compare.
        windows: their length and slide.
        alerts: what was told live of a group's servers that the tables have, as lines of JSON;
            records of other kinds, groups and days are left out.
        servers: those that are watched; none: whichever sends.
        tell: is given the books before they are written, so that a day of which it could not be
            told is not closed.
        is_over: whether no window of the day gets another row; else the last ones are open.

    Raises:
        ResultsError: a table or an alert is missing or not what it should be.
        StorageError: a segment cannot be read, or the books cannot be written.

    """
    books = Books()
    for group in groups:
        before = books.differences.count
        ends = None if is_over else _complete_to(day, group)
        _compare(day, group, windows, _live(day, group, alerts(group)), servers, ends, books)
        books.differing[group.name] = books.differences.count - before
    tell(books)
    content = {"day": day.day.isoformat(), "closed": utc_now(), **asdict(books)}
    write_json(day.directory / BOOKS, content | {"app_version": __version__})
    return books


def line(day: date, books: Books) -> str:
    """Return the books in one line."""
    batch, live = sum(books.alerts_batch.values()), sum(books.alerts_live.values())
    text = (
        f"{day}: {sum(books.windows.values())} windows, {batch} alerts of the batch analysis, "
        f"{live} live, {books.differences.count} differences"
    )
    notes = {"late windows": books.late.count} | {
        f"rows {name.replace('_', ' ')}": sum(rows[name] for rows in books.rows.values())
        for name in ("untimely", "after_closing", "sent_twice")
    }
    notes["windows still open"] = sum(books.open.values())
    told = ", ".join(f"{number} {what}" for what, number in notes.items() if number)
    return f"{text}; {told}" if told else text


def _compare(
    day: Day,
    group: Group,
    windows: Windows,
    live: Mapping[Place, list[Said]],
    servers: Collection[str],
    complete_to: Mapping[str, str] | None,
    books: Books,
) -> None:
    left, late = dict(live), _late_windows(day, group, windows)
    books.windows[group.name] = books.alerts_batch[group.name] = books.open[group.name] = 0
    books.alerts_live[group.name] = sum(map(len, live.values()))
    books.rows[group.name] = _rows(day, group)

    def differs(kind: str, place: Place, batch: Said | None, said: Sequence[Said]) -> None:
        found = {
            "kind": kind,
            "group": group.name,
            **place._asdict(),
            "batch": batch._asdict() if batch else None,
            "live": [one._asdict() for one in said],
        }
        # When the rows of one that is watched no more ceased to count, each side says for itself.
        apart = place in late or (servers and place.server_id not in servers)
        (books.late if apart else books.differences).add(found)

    def is_open(place: Place, end: str) -> bool:
        return complete_to is not None and end > complete_to.get(place.server_id, "")

    for place, batch in _table(day, group):
        books.windows[group.name] += 1
        books.alerts_batch[group.name] += batch.alert != ""
        said = left.pop(place, [])
        if is_open(place, batch.window_end):
            books.open[group.name] += 1
        elif kind := _difference(batch, said):
            differs(kind, place, batch, said)
    for place, said in left.items():  # there is no such window
        if is_open(place, said[0].window_end):
            books.open[group.name] += 1
        else:
            differs(ONLY_LIVE, place, None, said)


def _table(day: Day, group: Group) -> Iterator[tuple[Place, Said]]:
    """Yield the windows of a group's table, as the analysis wrote it."""
    path = day.directory / group.output_file
    columns = [metric.output_column for metric in group.metrics]
    header = table_columns(columns)
    rows = 0
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            if next(reader, []) != header:
                raise ResultsError(f"{path}: not a table of {', '.join(header)}; analyze again")
            for server, start, end, *values, alert in reader:
                of_columns = dict(zip(columns, values, strict=True))
                yield Place(unmarked(server), start), Said(end, unmarked(alert), of_columns)
                rows += 1
    except OSError as error:
        raise ResultsError(f"{path}: {error.strerror}; analyze day {day.day} first") from error
    except (csv.Error, ValueError) as error:
        raise ResultsError(f"{path}: after row {rows}: {one_line(error)}; analyze again") from error


def _difference(batch: Said, said: Sequence[Said]) -> str | None:
    """Return how what was told live of a window is not what the table has; None if it is."""
    if len(said) > 1:
        return TWICE
    if said and not batch.alert:
        return ONLY_LIVE
    if said and said[0] != batch:
        return OTHER
    return ONLY_BATCH if batch.alert and not said else None


def _complete_to(day: Day, group: Group) -> dict[str, str]:
    """Return up to where each server's windows have all rows that they will ever have.

    That is the start of its last window, as there is a row behind it. A row that comes out of
    order, and still counts, changes a window all the same: its books differ until it is analyzed.
    """
    ends: dict[str, str] = {}
    for place, _ in _table(day, group):
        ends[place.server_id] = max(place.window_start, ends.get(place.server_id, ""))
    return ends


def _live(day: Day, group: Group, alerts: Iterable[str]) -> dict[Place, list[Said]]:
    """Return what was told live of a group's windows of the day."""
    found: dict[Place, list[Said]] = defaultdict(list)
    for number, text in enumerate(alerts, start=1):
        try:
            told = json.loads(text)
            if (told["kind"], told["group"]) != (WINDOW, group.name):
                continue
            start, values = told["window_start"], told["values"]
            said = Said(told["window_end"], told["alert"], dict(values))
            if ISO.to_seconds(start) in day.seconds():
                found[Place(told["server_id"], start)].append(said)
        except (ValueError, TypeError, KeyError) as error:
            raise ResultsError(
                f"live alerts: line {number}: {one_line(repr(error))}, expected a record of the "
                f"topic of alerts; found {one_line(text, 80)}"
            ) from error
    return found


def _rows(day: Day, group: Group) -> dict[str, int]:
    """Return how many rows the analysis read, those sent twice, untimely, and stored since."""
    path = day.directory / f"analyze-{group.name}.json"
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        read, twice = (sum(told[name].values()) for name in ("rows", "repeated_rows"))
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ResultsError(
            f"{path}: {one_line(repr(error))}, expected the summary of an analysis; analyze day "
            f"{day.day} first"
        ) from error
    now = sum(day_rows(day, metric) for metric in group.metrics)
    untimely = (read_sidecar(path).rows for path, _ in _untimely(day, group))
    # A folder of results has no segments: nothing is known of what came since.
    return {
        "read": read,
        "sent_twice": twice,
        "untimely": sum(untimely),
        "after_closing": max(0, now - read),
    }


def _untimely(day: Day, group: Group) -> Iterator[tuple[Path, Metric]]:
    for metric in group.metrics:
        for path in sorted((day.directory / UNTIMELY / metric.topic).glob("*.csv")):
            yield path, metric


def _late_windows(day: Day, group: Group, windows: Windows) -> set[Place]:
    """Return the windows of a day that hold rows which did not count live."""
    found: set[Place] = set()
    seconds = day.seconds()
    windows = replace(windows, first_start=None, earliest=seconds.start, end=seconds.stop)
    for of_day in (day, day.next()):
        for path, _ in _untimely(of_day, group):
            for ts, server_id, _ in islice(csv.reader(_valid_lines(path), strict=True), 1, None):
                for start in windows.starts(ISO.to_seconds(ts)):
                    found.add(Place(server_id, utc_text(start)))
    return found


def _valid_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a segment's valid part."""
    left = read_sidecar(path).bytes
    with path.open("rb") as file:
        while left > 0 and (line := file.readline()):
            left -= len(line)
            yield line.decode()
