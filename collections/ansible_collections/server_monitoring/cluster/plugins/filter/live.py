"""What live mode's playbooks compute: names of units and users, days, and how far all is."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from server_monitoring.errors import UsageError, one_line
from server_monitoring.host.runs import checked_day
from server_monitoring.model.names import PROGRAM, user

from ..plugin_utils.filters import PublicFunctions

HEADER = ("server", "group", "last sample", "behind", "firing")
ACTIVE = "active"


def services(groups: Iterable[str]) -> list[str]:
    """Return the units that always run on a host that consumes these metric groups."""
    names = list(groups)
    return [
        f"{PROGRAM}-{what}-{name}.service" for what in ("live-consume", "detect") for name in names
    ]


def analysis_units(groups: Iterable[str], day: str = "") -> list[str]:
    """Return the units that analyze a day, named as their users; without a day, their templates.

    Their names begin otherwise than those of runs: none is taken for a run's.
    """
    return [f"{user('analyze', group)}@{day}.service" for group in groups]


def books_unit(day: str) -> str:
    """Return the unit that closes a day, once it is analyzed; of "", its template."""
    return f"{user('books')}@{day}.service"


def host_users(groups: Iterable[str]) -> list[str]:
    """Return the users of live mode on a host that consumes these groups; none if it does not."""
    own = [user(command, group) for group in groups for command in ("live", "detect")]
    return [*own, user("books")] if own else []


def day_problem(value: Any, today: str) -> str:
    """Return what is wrong with a day that is to be closed; "" for nothing.

    Args:
        value: as it was given.
        today: the day that it is in UTC, such as 2026-11-30.

    """
    try:
        day = checked_day(str(value)).isoformat()
    except UsageError as error:
        return str(error)
    return f"day: found {day}, expected none after today, {today} in UTC" if day > today else ""


def status_table(answers: Sequence[Mapping[str, Any]]) -> str:
    """Return how far live mode is, for people.

    Args:
        answers: of each host its `name`, the state of each of its `units`, whether it is `stopped`,
            and where it is asked what it knows of all servers, `status`: rc, out and err of that.

    """
    told, trouble = _told(answers)
    servers = {(s["server_id"], s["group"]): s for each in told for s in each["servers"]}
    table = _columns([HEADER, *(_row(servers[key]) for key in sorted(servers))])
    lag: dict[str, int] = {}
    for each in told:  # a host may tell of others' partitions too
        lag |= {topic: max(rows, lag.get(topic, 0)) for topic, rows in each["lag"].items()}
    behind = ", ".join(f"{topic} {rows:,}" for topic, rows in sorted(lag.items()))
    differ = sorted({(b["day"], b["group"]) for each in told for b in each["books"]})
    books = [one_line(f"books of {day} differ: {group}") for day, group in differ]
    last = [*books, *trouble, *_units(answers)]
    return "\n".join([*table, f"rows behind: {behind or '-'}", *last])


def _told(answers: Iterable[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return what hosts know of servers, and a line for each that knows nothing."""
    found, trouble = [], []
    for answer in answers:
        said = answer.get("status")
        if not said:
            continue
        try:
            told = json.loads(said["out"])
            servers, lag, books = list(told["servers"]), dict(told["lag"]), told.get("books", [])
            found.append({"servers": servers, "lag": lag, "books": books})
        except (ValueError, KeyError, TypeError):
            why = (said["err"] or said["out"]).strip().splitlines() or ["it said nothing"]
            trouble.append(f"{answer['name']}: no answer: {one_line(why[-1])}")
    return found, trouble


def _row(server: Mapping[str, Any]) -> tuple[str, ...]:
    behind = server.get("behind_seconds")
    firing = [f"{alert['label']} since {alert['since']}" for alert in server["firing"]]
    cells = (
        *(server["server_id"], server["group"], server["last_sample"] or "never"),
        "-" if behind is None else f"{behind:.0f} s",
        "; ".join(firing) or "-",
    )
    return tuple(one_line(cell, 200) for cell in cells)


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _units(answers: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each unit that should be active and is not, or one that all are."""
    total, away = 0, 0
    for answer in answers:
        if answer["stopped"]:
            yield f"{answer['name']}: live mode is stopped; playbooks/live_start.yml starts it"
            continue
        for name, state in answer["units"].items():
            total += 1
            if state != ACTIVE:
                away += 1
                yield f"{answer['name']}: {name}: {state}"
    yield f"units: {total - away} of {total} active"


class FilterModule(PublicFunctions):
    """The filters of this file."""

    prefix = "live_"
