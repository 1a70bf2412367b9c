"""The section of live mode: strict as the rest, and only detection needs it."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from server_monitoring.errors import ConfigError
from server_monitoring.settings import config

from tests.unit.app.app_command import App

Write = Callable[[object], Path]
SECTION = {
    "for_windows": 1,
    "clear_windows": 3,
    "lateness_seconds": 0,
    "future_seconds": 60,
    "late_hours": 2,
    "silence_seconds": 35,
    "thresholds": {"db-*": {"cpu_pct": 98.5}},
    "alerts_topic": "topic-alerts",
    "state_topic": "topic-alert-state",
}


def test_a_valid_section_is_read(values: dict[str, Any], write: Write) -> None:
    """Thresholds are the decimals that stand there."""
    loaded = config.load(write(values | {"live": SECTION}))
    live = config.live_of(loaded)
    assert live.thresholds == {"db-*": {"cpu_pct": Decimal("98.5")}}
    assert (live.clear_windows, live.state_topic) == (3, "topic-alert-state")


def test_servers_and_signatures_may_be_left_out(values: dict[str, Any], write: Write) -> None:
    """Then whoever sends is watched, and nobody signs."""
    live = config.live_of(config.load(write(values | {"live": SECTION})))
    assert (live.servers, live.signed) == ((), False)
    more = {**SECTION, "servers": ["a", "b c"], "signed": True}
    live = config.live_of(config.load(write(values | {"live": more})))
    assert (live.servers, live.signed) == (("a", "b c"), True)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("for_windows", 0, "live.for_windows: found 0, expected a whole number from 1"),
        ("late_hours", "2", "live.late_hours: found '2', expected a whole number"),
        ("alerts_topic", "topic-cpu", "live.alerts_topic: found 'topic-cpu', expected a topic of"),
        ("state_topic", "topic-alerts", "live.state_topic: found 'topic-alerts', expected a topic"),
        ("thresholds", {"a": {"cpu": 1}}, "live.thresholds.a.cpu: found 'cpu', expected no such"),
        ("thresholds", {"a": {"cpu_pct": "1"}}, "live.thresholds.a.cpu_pct: found '1', expected"),
        ("window", 1, "live.window: found 'window', expected no such key"),
        ("servers", "a", "live.servers: found 'a', expected a list of server ids"),
        ("servers", [1], "live.servers[0]: found 1, expected a server id as text"),
        ("servers", ["a\nb"], "live.servers[0]: found 'a\\nb', expected"),
        ("signed", "perhaps", "live.signed: found 'perhaps', expected true or false"),
    ],
)
def test_a_mistake_names_its_key(
    values: dict[str, Any], write: Write, key: str, value: object, said: str
) -> None:
    """In one line."""
    with pytest.raises(ConfigError) as caught:
        config.load(write(values | {"live": {**SECTION, key: value}}))
    assert said in str(caught.value)


def test_detection_without_the_section_says_what_is_missing(app: App) -> None:
    """In one line, before anything is connected."""
    said = app("detect", "--group", "cpu_mem")
    assert said.status == 3
    assert said.err.startswith(
        "server-monitoring: error: live: missing, so live mode is not set up"
    )
