"""Rules and rows for tests of detection, and an engine that is fed with them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from server_monitoring.detect.engine import Engine
from server_monitoring.detect.rows import Row
from server_monitoring.detect.rules import Rules
from server_monitoring.model.exact import exact
from server_monitoring.settings.config import Config, parse
from server_monitoring.settings.live import Live
from server_monitoring.settings.strict import Node

from tests.support.app_settings import settings

DAY = 20_000 * 86_400
"""The second at which the day of tests begins."""
ALIVE = Live(
    for_windows=1,
    clear_windows=1,
    lateness_seconds=0,
    future_seconds=60,
    late_hours=2,
    silence_seconds=35,
    thresholds={},
    alerts_topic="topic-alerts",
    state_topic="topic-alert-state",
)


class Given(NamedTuple):
    """A row as a test gives it: its second, its value as text, when it arrives if not at once."""

    second: int
    server_id: str
    value: str
    arrived: float | None = None


def config(**changed: Any) -> Config:
    """Return the general settings, some of them changed."""
    return parse(Node(Path("test"), "", settings(Path("/data")) | changed))


def rules(group: str = "cpu_mem", limits: dict[str, str] | None = None, **live: Any) -> Rules:
    """Return the rules of a group, with other thresholds and settings of live mode if given."""
    of = config()
    made = Rules.of(of, of.group(group), replace(ALIVE, **live))
    wanted = {column: Decimal(text) for column, text in (limits or {}).items()}
    return replace(made, thresholds=made.thresholds | wanted)


def numbered(given: Iterable[Given], first: int = 0) -> list[Row]:
    """Return rows with the offsets of their order."""
    return [
        Row(
            at.second,
            at.server_id,
            exact(at.value),
            offset,
            at.second if at.arrived is None else at.arrived,
        )
        for offset, at in enumerate(given, first)
    ]


def feed(engine: Engine, metrics: Sequence[Sequence[Row]], size: int = 50) -> None:
    """Give an engine the rows of both topics of one partition, in turns of `size`."""
    for at in range(0, max(map(len, metrics)), size):
        for metric, rows in enumerate(metrics):
            engine.take(metric, 0, rows[at : at + size])
