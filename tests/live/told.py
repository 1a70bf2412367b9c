"""What detectors told, and how far they are, as their topics have it."""

import json
import threading
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from server_monitoring.model.live import NO_DATA, TRANSITION, WINDOW, utc_second

from tests.kafka.live_rows import PARTITIONS, committed

States = dict[tuple[str, ...], dict[str, Any] | None]


@dataclass(frozen=True)
class Told:
    """The two topics of detectors."""

    bootstrap: list[str]
    alerts_topic: str
    state_topic: str

    def records(self) -> list[dict[str, Any]]:
        """Return all committed records of the alerts topic."""
        return [json.loads(value) for _, value in committed(self.bootstrap, self.alerts_topic)]

    def states(self) -> States:
        """Return the last state of each group, server and label."""
        found: States = {}
        for key, value in committed(self.bootstrap, self.state_topic):
            found[tuple(json.loads(key))] = json.loads(value) if value else None
        return found

    def ends(self, topics: Iterable[str]) -> dict[tuple[str, int], int]:
        """Return the end of each partition of the topics."""
        with closing(KafkaConsumer(bootstrap_servers=self.bootstrap)) as reader:
            tps = [TopicPartition(topic, p) for topic in topics for p in range(PARTITIONS)]
            return {(tp.topic, tp.partition): end for tp, end in reader.end_offsets(tps).items()}


def windows(records: Iterable[dict[str, Any]], group: str) -> list[dict[str, Any]]:
    """Return the windows of a group that were told."""
    return [told for told in records if (told["kind"], told["group"]) == (WINDOW, group)]


def transitions(
    records: Iterable[dict[str, Any]], group: str
) -> list[tuple[str, str, str, int, int]]:
    """Return server, label, state, since and at of the transitions of a group, sorted.

    Without those of servers that had no data.
    """
    return sorted(
        (t["server_id"], t["alert"], t["state"], utc_second(t["since"]), utc_second(t["at"]))
        for t in records
        if (t["kind"], t["group"]) == (TRANSITION, group) and t["alert"] != NO_DATA
    )


def silences(records: Iterable[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Return the transitions of "no data" by group and server, in the order of their topic."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for told in records:
        if told["kind"] == TRANSITION and told["alert"] == NO_DATA:
            found.setdefault((told["group"], told["server_id"]), []).append(told)
    return found


class Follower:
    """Follows how far detectors are, also while brokers are away."""

    def __init__(self, told: Told) -> None:
        """Follow in a thread of its own."""
        self._told = told
        self._closed_to: dict[tuple[str, str], int] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def closed_to(self, group: str, server_id: str) -> int:
        """Return the second up to which a server's windows are closed; 0 before any is."""
        return self._closed_to.get((group, server_id), 0)

    def end(self) -> None:
        """Follow no longer."""
        self._over.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._over.wait(0.5):
            with suppress(KafkaError):
                self._read()

    def _read(self) -> None:
        reader = KafkaConsumer(
            bootstrap_servers=self._told.bootstrap,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
        )
        with closing(reader):
            reader.assign([TopicPartition(self._told.state_topic, p) for p in range(PARTITIONS)])
            while not self._over.is_set():
                for records in reader.poll(timeout_ms=200).values():
                    for record in records:
                        self._note(record.key, record.value)

    def _note(self, key: bytes, value: bytes | None) -> None:
        group, server_id, label = json.loads(key)
        if server_id and not label and value is not None:
            closed = json.loads(value)["closed_up_to"]
            if closed is not None:
                self._closed_to[group, server_id] = utc_second(closed)
