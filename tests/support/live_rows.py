"""Rows of agents, and what the days' folders have of them."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kafka.consumer.fetcher import ConsumerRecord
from server_monitoring.broker.reader import TopicPartition
from server_monitoring.model.timestamps import ISO, time_text
from server_monitoring.store.sidecar import read_sidecar

DAY = 86_400
MIDNIGHT = ISO.to_seconds("2026-11-30T00:00:00Z")
"""The first second of the day of which tests speak."""


def record(
    tp: TopicPartition,
    offset: int,
    content: bytes | None,
    arrived: float = MIDNIGHT,
    run_id: bytes = b"live",
) -> Any:
    """Return a record as the client gives it."""
    headers = [("run_id", run_id), ("row", b"1"), ("signature", b"x")]
    size = len(content or b"")
    stamp = int(arrived * 1000)
    return ConsumerRecord(*tp, 0, offset, stamp, 0, b"a", content, headers, None, 1, size, 10)


def value(second: int, number: int, column: str = "cpu_pct", server: str = "a") -> bytes:
    """Return a row as an agent writes it."""
    ts = time_text(second, "1970-01-01T00:00:00Z")
    fields = {"ts": ts, "server_id": server, column: float(number)}
    return json.dumps(fields).encode()


def stored(live: Path, topic: str, part: str = "raw") -> dict[str, list[list[str]]]:
    """Return the valid rows of each day, after checking each sidecar against its segment."""
    found: dict[str, list[list[str]]] = {}
    for path in sorted(live.glob(f"*/{part}/{topic}/*.csv")):
        sidecar = read_sidecar(path)
        lines = path.read_bytes()[: sidecar.bytes].decode().splitlines(keepends=True)
        rows = list(csv.reader(lines, strict=True))[1:]
        assert len(rows) == sidecar.rows
        found.setdefault(path.relative_to(live).parts[0], []).extend(rows)
    return found


def numbers(days: dict[str, list[list[str]]]) -> list[int]:
    """Return the values of all days' rows, sorted."""
    return sorted(int(float(row[2])) for rows in days.values() for row in rows)


def by_day(seconds: Iterable[int]) -> dict[str, list[int]]:
    """Return the numbers of rows with these seconds, by day, in their order."""
    found: dict[str, list[int]] = {}
    for number, second in enumerate(seconds):
        found.setdefault(time_text(second, "1970-01-01T00:00:00Z")[:10], []).append(number)
    return found
