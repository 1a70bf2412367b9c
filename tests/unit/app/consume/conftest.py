"""A consumer to open on a reader whose answers a test gives."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from server_monitoring.consume import consumer
from server_monitoring.host.runs import Run
from server_monitoring.model import groups
from server_monitoring.settings import config

from tests.unit.app.app_answers import IDLE, PATIENCE, Answers


@pytest.fixture
def start(
    values: dict[str, Any], write: Callable[[object], Path]
) -> Callable[[Answers], consumer.Consumer]:
    """Return a function that opens a consumer of cpu_mem on a reader."""
    settings = config.load(write(values))
    run = Run(settings.data_dir, "r1")

    def make(reader: Answers) -> consumer.Consumer:
        return consumer.Consumer(
            reader,
            run,
            settings.group("cpu_mem"),
            groups.Share(0, 1),
            consumer.Waits(PATIENCE, IDLE),
            lambda: reader.now,
        )

    return make
