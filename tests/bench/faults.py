"""Seconds from SIGKILL of a part to the next row that is durable.

Killed parts are started again after the pause of their systemd unit, as systemd does.
"""

import json
import re
import threading
import time
from collections.abc import Callable

from kafka import TopicPartition
from server_monitoring.broker.limits import CLIENTS

from tests.bench import lost_broker
from tests.bench.clients import position
from tests.bench.lab import GROUPS, Lab, sidecars, start_consumer, start_producer
from tests.bench.measurement import Measurement
from tests.bench.processes import ProcessFailedError, Watched
from tests.kafka.kafka_broker import Pipeline
from tests.kafka.kafka_runs import end_offsets
from tests.support.project import PROJECT

ROWS = 1_000_000
RATE = 1_000
CONSUMER_BAR, PRODUCER_BAR, BROKER_BAR = 10.0, 10.0, 30.0
_WARM_SECONDS = 4.0
_LOOK_SECONDS = 0.02
_PATIENCE = 90.0
_SETTLED_SECONDS = 2.0
_UNITS = {
    "produce": "roles/pipeline/templates/produce.service.j2",
    "consume": "roles/pipeline/templates/consume.service.j2",
    "kafka": "roles/kafka/templates/kafka.service.j2",
}

Anew = Callable[[], bool]
"""Asks whether a row has been stored that only a part that recovered can have sent or stored."""


def restart_seconds(unit: str) -> float:
    """Return the pause before systemd starts a killed unit again."""
    text = (PROJECT / _UNITS[unit]).read_text(encoding="utf-8")
    found = re.search(r"^RestartSec=(\d+)$", text, re.MULTILINE)
    if found is None:
        message = f"{_UNITS[unit]}: no RestartSec=; expected whole seconds"
        raise ValueError(message)
    return float(found[1])


class Supervised:
    """A process that is started again whenever it ends, until it is closed."""

    def __init__(self, start: Callable[[], Watched], pause: float) -> None:
        """Start it."""
        self._start = start
        self._pause = pause
        self._closed = threading.Event()
        self._process = start()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def _keep(self) -> None:
        while not self._closed.is_set():
            if self._process.running():
                self._closed.wait(_LOOK_SECONDS)
            elif not self._closed.wait(self._pause):
                self._process = self._start()

    def ready(self) -> None:
        """Wait until it says that it is ready."""
        self._process.moment("ready: ")

    def kill(self) -> None:
        """Kill the process that runs now."""
        self._process.kill()

    def close(self) -> None:
        """End it for good."""
        self._closed.set()
        self._thread.join()
        self._process.end()


def measure(lab: Lab) -> list[Measurement]:
    """Return the recovery times of each client's consumer and producer, and of brokers."""
    found = [figure for client in CLIENTS for figure in _of_client(lab, client)]
    return found + lost_broker.measure(lab)


def _of_client(lab: Lab, client: str) -> list[Measurement]:
    pipeline = lab.pipeline(client)
    position(pipeline)
    pause = restart_seconds("consume")
    parts = {
        group: Supervised(lambda group=group: start_consumer(pipeline, group), pause)  # type: ignore[misc]
        for group in GROUPS
    }
    try:
        for part in parts.values():
            part.ready()
        rate = f"--rate={RATE}"
        parts["producer"] = Supervised(
            lambda: start_producer(pipeline, lab.dataset(ROWS), rate), restart_seconds("produce")
        )
        parts["producer"].ready()
        time.sleep(_WARM_SECONDS)
        consumer = _recovery(parts[GROUPS[0]].kill, lambda: after_rows(pipeline, GROUPS[0]))
        time.sleep(_WARM_SECONDS)
        producer = _recovery(parts["producer"].kill, lambda: after_ends(pipeline))
        time.sleep(_WARM_SECONDS)
        broker = _recovery(lambda: _restart_broker(lab), lambda: after_a_gap(pipeline))
    finally:
        for part in reversed(parts.values()):
            part.close()
    return [
        Measurement(
            f"{client} consumer killed, next row", "s", consumer, None, CONSUMER_BAR, at_most=True
        ),
        Measurement(
            f"{client} producer killed, next row", "s", producer, None, PRODUCER_BAR, at_most=True
        ),
        Measurement(
            f"{client} broker killed, next row", "s", broker, None, BROKER_BAR, at_most=True
        ),
    ]


def _restart_broker(lab: Lab) -> None:
    lab.broker.stop(hard=True)
    thread = threading.Timer(restart_seconds("kafka"), lab.broker.start)
    thread.daemon = True
    thread.start()


def _recovery(kill: Callable[[], None], watch: Callable[[], Anew]) -> float:
    """Kill, and return the seconds until a row is durable that was not on its way already."""
    began = time.monotonic()
    kill()
    anew = watch()
    while time.monotonic() < began + _PATIENCE:
        time.sleep(_LOOK_SECONDS)
        if anew():
            return time.monotonic() - began
    raise ProcessFailedError([], f"no row was stored within {_PATIENCE} s after the kill")


def after_rows(pipeline: Pipeline, group: str) -> Anew:
    """Ask for one more row of a group than now: a killed consumer's own rows stop with it."""
    before = _stored(pipeline, group)
    return lambda: _stored(pipeline, group) > before


def after_ends(pipeline: Pipeline) -> Anew:
    """Ask for a row behind the present ends of the topics: those before are a killed producer's."""
    ends = end_offsets(pipeline)
    return lambda: any(
        s["offset"] > ends[TopicPartition(s["topic"], s["partition"])] for s in sidecars(pipeline)
    )


def after_a_gap(pipeline: Pipeline) -> Anew:
    """Ask for a row after nothing came for a while: those before were read from a killed broker."""
    before, moved = _stored(pipeline, None), time.monotonic()

    def anew() -> bool:
        nonlocal before, moved
        stored, now = _stored(pipeline, None), time.monotonic()
        if stored == before:
            return False
        waited = now - moved
        before, moved = stored, now
        return waited >= _SETTLED_SECONDS

    return anew


def _stored(pipeline: Pipeline, group: str | None) -> int:
    topics = None
    if group is not None:
        topics = {metric["topic"] for metric in pipeline.values["groups"][group]["metrics"]}
    try:
        return sum(s["rows"] for s in sidecars(pipeline) if topics is None or s["topic"] in topics)
    except json.JSONDecodeError:  # pragma: no cover - sidecars are replaced whole
        return 0
