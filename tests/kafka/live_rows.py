"""Live mode on loopback: rows as agents send them, detectors as processes, alerts read back."""

import json
import random
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from server_monitoring.model.live import NO_DATA, WINDOW
from server_monitoring.model.live import utc_text as text_of
from server_monitoring.model.names import LIVE_RUN
from server_monitoring.model.wire import partition_for

from tests.kafka.kafka_broker import PATIENCE, Broker, Pipeline, create_topics, make_pipeline
from tests.support.app_settings import write_settings
from tests.support.reference_tables import CPU_MEM_LABELS, half_up, two_places

PARTITIONS = 3
LIMIT = 50
"""Threshold of both metrics of cpu_mem."""
WINDOW_SECONDS, SLIDE = 30, 10
BEGIN = 1_790_000_000
SERVERS = ["a", "b,c", "Zürich 💡", "server-4", "server-5"]


class Sample(NamedTuple):
    """What an agent sends of one second: both metrics of cpu_mem, as texts."""

    server_id: str
    second: int
    cpu: str
    mem: str


@dataclass
class LiveMode:
    """A pipeline with topics of live mode, and a producer that agents would have."""

    pipeline: Pipeline
    producer: KafkaProducer
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def live(self) -> dict[str, Any]:
        """Return the section of the settings."""
        section: dict[str, Any] = self.pipeline.values["live"]
        return section

    def configure(self, **live: Any) -> None:
        """Change the section, or with `consumers` the share, and write the configuration."""
        if "consumers" in live:
            self.pipeline.values["consumers"]["cpu_mem"] = live.pop("consumers")
        self.live.update(live)
        write_settings(self.pipeline.config, self.pipeline.values)

    def send(self, samples: Iterable[Sample], at: float | None = None, *, later: float = 0) -> None:
        """Send samples; each arrives so much `later` than it was taken, or all do `at` a time."""
        metrics = self.pipeline.values["groups"]["cpu_mem"]["metrics"]
        sent = []
        for sample in samples:
            headers = [("run_id", LIVE_RUN.encode()), ("row", b"%d" % sample.second)]
            for metric, value in zip(metrics, (sample.cpu, sample.mem), strict=True):
                fields = {"ts": text_of(sample.second), "server_id": sample.server_id}
                content = json.dumps(fields)[:-1] + f', "{metric["column"]}": {value}}}'
                future = self.producer.send(
                    metric["topic"],
                    content.encode(),
                    sample.server_id.encode(),
                    headers,
                    partition_for(sample.server_id, PARTITIONS),
                    int(1000 * (sample.second + later if at is None else at)),
                )
                sent.append(future)
        for future in sent:
            future.get(PATIENCE)

    def start(self, *, ready: bool = True) -> subprocess.Popen[str]:
        """Start a detector, and wait until it reads."""
        process = subprocess.Popen(
            self.pipeline.command("detect", "--group", "cpu_mem"),
            stderr=subprocess.PIPE,
            text=True,
            env=self.pipeline.environment(),
        )
        self.processes.append(process)
        if ready:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert line.startswith("ready: "), line
        return process

    def end(self) -> None:
        """Kill every detector that still runs."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.communicate()
        self.producer.close()

    def told(self) -> list[dict[str, Any]]:
        """Return all committed records of the alerts topic."""
        return [json.loads(value) for _, value in self._records(self.live["alerts_topic"])]

    def states(self) -> dict[tuple[str, ...], Any]:
        """Return the last state of each key."""
        found: dict[tuple[str, ...], Any] = {}
        for key, value in self._records(self.live["state_topic"]):
            found[tuple(json.loads(key))] = value and json.loads(value)
        return found

    def windows(self) -> list[tuple[str, str, str, str, str]]:
        """Return the windows that were told, sorted; one that was told twice is there twice."""
        return sorted(
            (t["server_id"], t["window_start"], *t["values"].values(), t["alert"])
            for t in self.told()
            if t["kind"] == WINDOW
        )

    def transitions(self, label: str = NO_DATA) -> list[tuple[str, str]]:
        """Return server and state of each transition of a label, in their order by server."""
        found = [t for t in self.told() if t["kind"] != WINDOW and t["alert"] == label]
        return [(t["server_id"], t["state"]) for t in sorted(found, key=lambda t: t["server_id"])]

    def await_windows(self, expected: list[Any]) -> None:
        """Wait until as many windows were told as are expected."""
        self.wait_for(lambda: len(self.windows()) >= len(expected), f"{len(expected)} windows")

    def wait_for(self, reached: Any, what: str) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + PATIENCE
        while not reached():
            assert time.monotonic() < deadline, f"{what}: not within {PATIENCE} s"
            time.sleep(0.2)

    def _records(self, topic: str) -> list[tuple[bytes, bytes]]:
        return committed([self.pipeline.broker.address], topic)


def committed(bootstrap: Sequence[str], topic: str) -> list[tuple[bytes, bytes]]:
    """Return key and value of all committed records of a topic, each partition's in its order."""
    reader = KafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
    )
    try:
        partitions = [TopicPartition(topic, p) for p in range(PARTITIONS)]
        reader.assign(partitions)
        reader.seek_to_beginning(*partitions)
        ends = reader.end_offsets(partitions)
        found = []
        deadline = time.monotonic() + PATIENCE
        while any(reader.position(tp) < end for tp, end in ends.items()):
            assert time.monotonic() < deadline
            for records in reader.poll(timeout_ms=100).values():
                found += [(record.key, record.value) for record in records]
        return found
    finally:
        reader.close()


def samples(rng: random.Random, first: int, seconds: int) -> list[Sample]:
    """Return each server's samples, of values around the threshold that change each 20 s."""
    found = []
    for second in range(first, first + seconds):
        for server_id in SERVERS:
            drift = 12 * ((second // 20 * 7 + SERVERS.index(server_id)) % 3 - 1)
            cpu, mem = (50 + drift + rng.uniform(-9, 9) for _ in "cm")
            found.append(Sample(server_id, second, repr(cpu), repr(mem)))
    return found


def make_live(broker: Broker, directory: Any, client: str, **live: Any) -> LiveMode:
    """Create the topics, with times as producers give them, and the configuration."""
    pipeline = make_pipeline(broker, directory, PARTITIONS, client)
    suffix = pipeline.values["groups"]["cpu_mem"]["metrics"][0]["topic"].rpartition("-")[2]
    topics = {"alerts_topic": f"alerts-{suffix}", "state_topic": f"state-{suffix}"}
    create_topics(broker.address, {topics["alerts_topic"]: PARTITIONS})
    create_topics(
        broker.address, {topics["state_topic"]: PARTITIONS}, **{"cleanup.policy": "compact"}
    )
    pipeline.values["thresholds"] |= {"cpu_pct": LIMIT, "mem_pct": LIMIT}
    pipeline.values["live"] = {
        "for_windows": 1,
        "clear_windows": 1,
        "lateness_seconds": 0,
        "future_seconds": 60,
        "late_hours": 876_600,
        "silence_seconds": 86_400,
        "thresholds": {},
        **topics,
        **live,
    }
    write_settings(pipeline.config, pipeline.values)
    producer = KafkaProducer(bootstrap_servers=broker.address, linger_ms=5)
    return LiveMode(pipeline, producer)


@contextmanager
def live_mode(broker: Broker, directory: Any, client: str) -> Iterator[LiveMode]:
    """Return live mode with topics of its own; its detectors end with it."""
    made = make_live(broker, directory, client)
    try:
        yield made
    finally:
        made.end()


def abnormal(samples: Sequence[Sample]) -> list[tuple[str, str, str, str, str]]:
    """Return the windows that alert, by fractions, of servers that sent on after their ends."""
    of: dict[str, dict[int, Sample]] = defaultdict(dict)
    for sample in samples:
        of[sample.server_id].setdefault(sample.second, sample)
    found = []
    for server_id, taken in of.items():
        first = min(taken) // SLIDE * SLIDE - WINDOW_SECONDS + SLIDE
        for start in range(first, max(taken) + 2 - WINDOW_SECONDS, SLIDE):
            within = [taken[s] for s in range(start, start + WINDOW_SECONDS) if s in taken]
            if not within:
                continue
            cpu, mem = (
                half_up(sum(map(Fraction, values), Fraction(0)) / len(within))
                for values in zip(*((s.cpu, s.mem) for s in within), strict=True)
            )
            label = {
                (True, True): CPU_MEM_LABELS[0],
                (True, False): CPU_MEM_LABELS[1],
                (False, True): CPU_MEM_LABELS[2],
            }.get((cpu > LIMIT, mem > LIMIT))
            if label:
                texts = two_places(cpu), two_places(mem)
                found.append((server_id, text_of(start), *texts, label))
    return sorted(found)
