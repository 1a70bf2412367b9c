"""What live mode owes at its end: each sample stored, each alert told once, the books equal."""

import csv
from collections import defaultdict
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from server_monitoring.agent.row import COLUMNS
from server_monitoring.detect.rules import Rules
from server_monitoring.model.live import utc_second
from server_monitoring.settings.config import live_of

from tests.live.site import GROUPS, Agent, Site
from tests.live.told import transitions, windows
from tests.support.live_rows import stored
from tests.unit.app.detect.slow_oracle import Judged
from tests.unit.app.detect.slow_oracle import transitions as expected_transitions

# Within which an agent samples again after it was started, on a machine that serves others first.
START_SECONDS = 30


def check(site: Site) -> dict[str, int]:
    """Hold what was stored and told against what was sampled; return what there was of each."""
    check_samples(site)
    for agent in site.agents.values():
        check_seconds(agent)
    told = site.told.records()
    ids = [one["id"] for one in told]
    assert len(ids) == len(set(ids)), "an alert was told twice"
    counts = {"samples": sum(len(agent.spooled()) for agent in site.agents.values())}
    tables: dict[str, list[list[str]]] = defaultdict(list)
    for day in days(site):
        books = site.close(day)
        assert books["differences"] == {"count": 0, "windows": []}
        assert books["late"] == {"count": 0, "windows": []}
        for group in GROUPS:
            path = site.live / day / site.values["groups"][group]["output_file"]
            with path.open(encoding="utf-8", newline="") as file:
                tables[group] += list(csv.reader(file, strict=True))[1:]
    for group in GROUPS:
        alerts = sum(row[-1] != "" for row in tables[group])
        assert len(windows(told, group)) == alerts
        moved = transitions(told, group)
        assert moved == expected_transitions(_rules(site, group), _judged(tables[group]))
        counts |= {f"windows {group}": len(tables[group]), f"alerts {group}": alerts}
        counts[f"transitions {group}"] = len(moved)
    return counts


def check_samples(site: Site) -> None:
    """Each topic's stored rows are exactly the samples, each server's in order; twice only same."""
    for topic, column in site.topics.items():
        found: dict[str, dict[int, set[str]]] = defaultdict(dict)
        for rows in stored(site.live, topic).values():
            for ts, server_id, value in rows:
                found[server_id].setdefault(utc_second(ts), set()).add(value)
        for name, agent in site.agents.items():
            place = COLUMNS.index(column)
            taken = {row.second: {row.values[place]} for row in agent.spooled()}
            lost = sorted(set(taken) - set(found[name]))
            assert found[name] == taken, f"{topic}, {name}: lost {lost}"
            assert list(found[name]) == list(taken), f"{topic}, {name}: not in order"
        assert set(found) == set(site.agents)


def check_seconds(agent: Agent) -> None:
    """Each second has its sample, but where the agent was dead or counted it as missed."""
    seconds = [row.second for row in agent.spooled()]
    away = {
        second
        for ended, began in agent.unit.away
        for second in range(int(ended) - 1, int(began) + START_SECONDS)
    }
    counters = agent.counters()
    gaps = set(range(seconds[0], seconds[-1])) - set(seconds) - away
    assert len(gaps) <= counters["missed"] + counters["unreadable"], sorted(gaps)
    assert counters["dropped"] == counters["torn"] == counters["unreadable"] == 0


def days(site: Site) -> list[str]:
    """Return the days in which windows start that hold a sample."""
    seconds = [row.second for agent in site.agents.values() for row in agent.spooled()]
    first = min(seconds) - site.values["window_seconds"]
    return sorted(
        {_day(first), *map(_day, range(min(seconds), max(seconds), 3600)), _day(max(seconds))}
    )


def _day(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).date().isoformat()


def _rules(site: Site, group: str) -> Rules:
    config = site.config()
    return Rules.of(config, config.group(group), live_of(config))


def _judged(table: list[list[str]]) -> list[Judged]:
    """Return a table's windows as the oracle has them, without their numbers."""
    none = (Fraction(0), Fraction(0))
    return sorted((row[0], utc_second(row[1]), none, row[-1]) for row in table)


def text(counts: dict[str, Any]) -> str:
    """Return the accounts in a line."""
    return ", ".join(f"{number:,} {what}" for what, number in counts.items())
