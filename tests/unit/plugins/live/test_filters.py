"""What live mode's playbooks compute: names, days, and the table of how far all is."""

import json
from typing import Any

import pytest
from ansible_collections.server_monitoring.cluster.plugins.filter import live

TODAY = "2026-11-30"
FIRING = "CPU spike suspected since 2026-11-30T11:59:30Z"
SERVERS: list[dict[str, Any]] = [
    {
        "server_id": "web-1",
        "group": "cpu_mem",
        "last_sample": "2026-11-30T12:00:00Z",
        "behind_seconds": 3.2,
        "firing": [{"label": "CPU spike suspected", "since": "2026-11-30T11:59:30Z"}],
    },
    {
        "server_id": "db-1",
        "group": "cpu_mem",
        "last_sample": None,
        "behind_seconds": None,
        "firing": [],
    },
]


def test_names_of_units_and_users() -> None:
    """No unit is taken for one of a run, which are server-monitoring-*@*.service."""
    groups = ["cpu_mem", "net_disk"]
    assert live.services(groups) == [
        "server-monitoring-live-consume-cpu_mem.service",
        "server-monitoring-live-consume-net_disk.service",
        "server-monitoring-detect-cpu_mem.service",
        "server-monitoring-detect-net_disk.service",
    ]
    days = [*live.analysis_units(["cpu_mem"], TODAY), live.books_unit(TODAY)]
    assert days == [f"sm-analyze-cpu_mem@{TODAY}.service", f"sm-books@{TODAY}.service"]
    assert live.analysis_units(["cpu_mem"]) == ["sm-analyze-cpu_mem@.service"]
    assert live.host_users(["cpu_mem"]) == ["sm-live-cpu_mem", "sm-detect-cpu_mem", "sm-books"]
    assert live.host_users([]) == []


@pytest.mark.parametrize("day", ["2026-11-30", "1970-01-01"])
def test_a_day_that_has_begun_may_be_closed(day: str) -> None:
    """Also again, and also before it is over."""
    assert live.day_problem(day, TODAY) == ""


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("foo", "day: found 'foo', expected a day in UTC such as 2026-11-30"),
        ("2026-02-30", "day: found '2026-02-30', expected a day in UTC"),
        (20261130, "day: found '20261130', expected a day in UTC"),
        ("", "day: found '', expected a day in UTC"),
        ("2026-12-01", "day: found 2026-12-01, expected none after today, 2026-11-30 in UTC"),
    ],
)
def test_any_other_day_is_refused_in_a_line(day: object, said: str) -> None:
    """What it found, and what it expected."""
    assert live.day_problem(day, TODAY).startswith(said)


def answer(name: str, **changes: Any) -> dict[str, Any]:
    """Return what a consumer's host says."""
    books = [{"group": "cpu_mem", "day": "2026-11-29", "since": "2026-11-30T02:31:00Z"}]
    told = {"servers": SERVERS, "lag": {"topic-cpu": 1200}, "books": books}
    said = {"rc": 0, "out": json.dumps(told), "err": ""}
    units = {"server-monitoring-detect-cpu_mem.service": "active"}
    return {"name": name, "units": units, "stopped": False, "status": said} | changes


def test_the_table_has_a_line_for_each_server_and_group() -> None:
    """What several hosts tell of one server, or of the books of a day, counts once."""
    watched = {"name": "db-1", "units": {"agent": "active"}, "stopped": False, "status": {}}
    assert live.status_table(
        [answer("consumer-1"), answer("consumer-2"), watched]
    ).splitlines() == [
        "server  group    last sample           behind  firing",
        "db-1    cpu_mem  never                 -       -",
        "web-1   cpu_mem  2026-11-30T12:00:00Z  3 s     " + FIRING,
        "rows behind: topic-cpu 1,200",
        "books of 2026-11-29 differ: cpu_mem",
        "units: 3 of 3 active",
    ]


def test_the_table_names_what_is_not_at_work() -> None:
    """Units that are not active, hosts that are stopped, and those that know nothing."""
    away = answer("consumer-1", units={"server-monitoring-detect-cpu_mem.service": "failed"})
    said = {"rc": 8, "out": "", "err": "one\nserver-monitoring: error: no broker\n"}
    lines = live.status_table(
        [away, answer("consumer-2", status=said), answer("consumer-3", stopped=True)]
    ).splitlines()
    assert lines[-4:] == [
        "consumer-2: no answer: server-monitoring: error: no broker",
        "consumer-1: server-monitoring-detect-cpu_mem.service: failed",
        "consumer-3: live mode is stopped; playbooks/live_start.yml starts it",
        "units: 1 of 2 active",
    ]


def test_a_server_s_name_turns_nothing_in_the_terminal() -> None:
    """It comes from whoever may write to the topics."""
    bad = SERVERS[0] | {"server_id": "web\x1b[31m\n"}
    told = {"rc": 0, "out": json.dumps({"servers": [bad], "lag": {}}), "err": ""}
    table = live.status_table([answer("consumer-1", status=told)])
    assert "\x1b" not in table
    assert "rows behind: -" in table
