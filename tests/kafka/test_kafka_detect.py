"""Detection with a real broker: each alert once, whatever is killed and whoever takes over."""

import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.kafka_broker import PATIENCE, Broker
from tests.kafka.live_rows import LiveMode, Sample, abnormal, make_live

BEGIN = 1_790_000_000
SERVERS = ["a", "b,c", "Zürich 💡", "server-4", "server-5"]


@pytest.fixture
def live(broker: Broker, tmp_path: Path, client: str) -> Iterator[LiveMode]:
    """Return live mode with topics of this test's own."""
    made = make_live(broker, tmp_path, client)
    try:
        yield made
    finally:
        made.end()


def samples(rng: random.Random, first: int, seconds: int) -> list[Sample]:
    """Return each server's samples, of values around the threshold that change each 20 s."""
    found = []
    for second in range(first, first + seconds):
        for server_id in SERVERS:
            drift = 12 * ((second // 20 * 7 + SERVERS.index(server_id)) % 3 - 1)
            cpu, mem = (50 + drift + rng.uniform(-9, 9) for _ in "cm")
            found.append(Sample(server_id, second, repr(cpu), repr(mem)))
    return found


def test_alerts_are_those_of_exact_arithmetic_also_after_a_stop(live: LiveMode) -> None:
    """A detector that is stopped in order, and one that is killed, leave nothing to do twice."""
    sent = samples(random.Random(1), BEGIN, 300)
    first = live.start()
    live.send(sent[:700])
    live.await_windows(abnormal(sent[:700]))
    first.send_signal(signal.SIGTERM)
    _, said = first.communicate(timeout=PATIENCE)
    assert first.returncode == 0, said
    live.send(sent[700:1000])
    second = live.start()
    live.await_windows(abnormal(sent[:1000]))
    second.kill()
    live.send(sent[1000:])
    live.start()
    live.await_windows(abnormal(sent))
    assert live.windows() == abnormal(sent)
