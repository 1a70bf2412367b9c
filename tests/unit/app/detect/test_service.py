"""What a detector looks at by the clock."""

import time
from pathlib import Path
from typing import Any

import pytest
from server_monitoring.broker.reader import TopicPartition
from server_monitoring.detect import service
from server_monitoring.detect.engine import Engine
from server_monitoring.detect.service import Detector
from server_monitoring.detect.takeover import Places
from server_monitoring.errors import UnreachableError
from server_monitoring.model.senders import Senders

from tests.unit.app.app_topics import Topics
from tests.unit.app.detect.detect_rows import rules


def test_a_topic_that_has_grown_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a status after which systemd starts it again: it has the new partitions then."""
    of, topics = rules(), Topics(3)
    places = Places({TopicPartition("topic-cpu", 0): 0}, {}, 3)
    unused: Any = None
    path = tmp_path / "detect.json"
    made = Detector(topics, unused, Engine(of), of, Senders(), 0, places, path)
    monkeypatch.setattr(service, "LOOK_SECONDS", 0)
    now = time.time() + service.GROWN_SECONDS
    made._look(now)  # noqa: SLF001 - the loop calls it
    topics.count = 4
    made._look(now + 1)  # noqa: SLF001
    with pytest.raises(UnreachableError, match="topic-cpu: has grown since this was started"):
        made._look(now + 1 + service.GROWN_SECONDS)  # noqa: SLF001
