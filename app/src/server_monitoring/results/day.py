"""A day's results, put together from what its hosts brought: tables, books and a manifest.

Guarantee: as `collect` has it: each file is there whole or not at all, the manifest comes last, and
what the hosts brought is removed only then.
"""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from server_monitoring.errors import ConfigError, ResultsError, one_line
from server_monitoring.host.durable import read_json, write_json
from server_monitoring.results.books import BOOKS, Books, Listed
from server_monitoring.results.collect import PARTS, Summary, merge_group, one_or_all, totals
from server_monitoring.results.collect import group as group_summary
from server_monitoring.results.manifest import Manifest, write_manifest
from server_monitoring.settings.groups import read_groups
from server_monitoring.settings.strict import Node

EPOCH = "1970-01-01T00:00:00Z"
_SUMS = ("windows", "alerts_batch", "alerts_live", "differing", "open")


@dataclass(frozen=True)
class Facts:
    """What is known of a day that was closed.

    Attributes:
        config: the app's configuration, as config.yml has it.
        analyzed: the hosts' analyze-GROUP.json.

    """

    config: Summary
    analyzed: list[Summary]


def collect_day(folder: Path, day: date, source: Path) -> tuple[Manifest, Books]:
    """Make tables, books and manifest of a day's results folder, and remove the parts in it.

    Args:
        folder: has the hosts' tables as `parts/<group>/<host>.csv`, and what their books say as
            `parts/books/<host>.json`.
        day: which it is.
        source: the day's facts, as JSON.

    Raises:
        ResultsError: facts, tables or books are missing, or do not fit together.
        StorageError: a file cannot be written.

    """
    if not folder.is_dir():
        raise ResultsError(f"{folder}: no such folder; name one with the tables of a day's hosts")
    try:
        facts = read_json(source, Facts)
    except (OSError, ValueError) as error:
        raise ResultsError(f"{source}: {one_line(error)}, expected the facts of a day") from error
    books, closed = _merged_books(folder, day)
    try:
        groups = read_groups(Node(source, "config.groups", facts.config["groups"]))
        missing = ", ".join(name for name in groups if name not in books.windows)
        if missing:
            raise ResultsError(
                f"{folder / PARTS}: no books of group {missing}; close the day again"
            )
        sums = {name: merge_group(folder, of, facts.analyzed) for name, of in groups.items()}
        content = _manifest(day, facts, sums, books, closed)
    except ConfigError as error:
        raise ResultsError(f"{error}; close the day again") from error
    except (LookupError, TypeError, AttributeError) as error:
        found = f"{type(error).__name__}: {one_line(error, 100)}"
        raise ResultsError(f"{source}: not the facts of a day ({found})") from error
    write_json(folder / BOOKS, {"day": day.isoformat(), "closed": closed, **asdict(books)})
    made = write_manifest(folder, content)
    shutil.rmtree(folder / PARTS, ignore_errors=True)
    return made, books


def _merged_books(folder: Path, day: date) -> tuple[Books, str]:
    """Return the sums of all hosts' books, and when the last was closed."""
    paths = sorted((folder / PARTS / "books").glob("*.json"))
    if not paths:
        raise ResultsError(f"{folder / PARTS / 'books'}: no books came back from any host")
    merged, closed = Books(), []
    for path in paths:
        try:
            content = read_json(path, dict)
            if content["day"] != day.isoformat():
                raise ResultsError(
                    f"{path}: of day {one_line(content['day'], 20)}, expected {day}; fetch it again"
                )
            closed.append(str(content["closed"]))
            _add(merged, content)
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise ResultsError(
                f"{path}: {one_line(repr(error), 100)}, expected the books of a day; close it again"
            ) from error
    return merged, max(closed)


def _add(merged: Books, content: Mapping[str, Any]) -> None:
    for name in _SUMS:
        of = getattr(merged, name)
        for group, count in content[name].items():
            of[group] = of.get(group, 0) + int(count)
    for group, rows in content["rows"].items():
        merged.rows[group] = totals([merged.rows.get(group, {}), rows])
    for name in ("differences", "late"):
        listed: Listed = getattr(merged, name)
        listed.extend(content[name]["windows"], int(content[name]["count"]))


def _manifest(
    day: date, facts: Facts, sums: Mapping[str, str], books: Books, closed: str
) -> dict[str, Any]:
    config, analyzed = facts.config, facts.analyzed
    live = config.get("live", {})
    return {
        "run_id": day.isoformat(),
        "ended": closed,
        "versions": {
            "app": _all(analyzed, "app_version"),
            "spark": _all(analyzed, "spark_version"),
            "java": _all(analyzed, "java_version"),
        },
        "settings": {
            "window_seconds": config["window_seconds"],
            "slide_seconds": config["slide_seconds"],
            "start": "",
            "thresholds": config["thresholds"],
            "thresholds_of_servers": live.get("thresholds", {}),
        },
        "times_like": EPOCH,
        "books": {
            "differences": books.differences.count,
            "late_windows": books.late.count,
            "alerts_live": sum(books.alerts_live.values()),
        },
        "rows": books.rows,
        "corrupt_rows": totals(entry["corrupt_rows"] for entry in analyzed),
        "lost_rows": totals(entry["lost_rows"] for entry in analyzed),
        "groups": {
            name: group_summary(of, sums[name], [a for a in analyzed if a["group"] == name])
            for name, of in config["groups"].items()
        },
    }


def _all(analyzed: Iterable[Summary], name: str) -> str:
    return one_or_all(entry[name] for entry in analyzed)
