"""A board on the control machine: how far each host is in a step, and the line made of it."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from server_monitoring.host import progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

# "over" says the host that shows the line, when it has closed it.
GOING_ON, ENDED, FAILED, OVER = "going on", "ended", "failed", "over"


@dataclass(frozen=True)
class Entry:
    """What one host writes on the board.

    Attributes:
        state: going on, ended, failed or over.
        texts: the last status text of each of its units that tells a progress.
        written: when, in seconds since the epoch.
        waits: for what the host or its units wait, and how long.

    """

    state: str = GOING_ON
    texts: list[str] = field(default_factory=list)
    written: float = field(default_factory=time.time)
    waits: list[str] = field(default_factory=list)


class Board:
    """One file a host in a folder, replaced as a whole, so that no half entry is ever read."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which is made if it is not there."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def write(self, host: str, entry: Entry) -> None:
        """Replace the host's entry."""
        half = self._folder / f".{host.encode().hex()}"
        half.write_text(json.dumps([host, asdict(entry)]), encoding="utf-8")
        os.replace(half, self._folder / f"{host.encode().hex()}.json")  # noqa: PTH105 -- atomic

    def read(self) -> dict[str, Entry]:
        """Return the entries by host."""
        files = [json.loads(p.read_text(encoding="utf-8")) for p in self._folder.glob("*.json")]
        return {host: Entry(**entry) for host, entry in files}


@dataclass(frozen=True)
class Step:
    """A whole step, of all its hosts: what its line tells.

    Attributes:
        sent, total: rows of the data set (0 where nothing is sent, or not yet).
        stored: rows stored, by topic; `expected` the rows that each topic will have, if known.
        rate: rows sent, or rows stored of all topics where nothing is sent, a second.
        left: seconds until all is sent or stored, None where that is not known, or none can tell.
        waits: for what hosts or units wait.

    """

    sent: int
    total: int
    stored: Mapping[str, int]
    expected: Mapping[str, int]
    rate: float
    left: float | None
    waits: tuple[str, ...] = ()


def step_of(entries: Iterable[Entry], expected: Mapping[str, int]) -> Step:
    """Return what the entries of all hosts say together."""
    known = list(entries)
    waits = tuple(sorted(text for entry in known for text in entry.waits))
    told = [p for e in known for p in map(progress.read, e.texts) if p]
    sending = next((p for p in told if p.total), progress.Progress())
    stored: dict[str, int] = {}
    for consumer in told:
        for topic, rows in consumer.stored.items():
            stored[topic] = stored.get(topic, 0) + rows
    if expected:
        rate = sum(p.rate for p in told if p.stored)
        rest = sum(max(0, rows - stored.get(topic, 0)) for topic, rows in expected.items())
    else:
        rate, rest = sending.rate, sending.total - sending.sent
    left = rest / rate if rate and not waits else None
    rate = 0.0 if waits else rate
    return Step(sending.sent, sending.total, stored, expected, rate, left, waits)


def line(title: str, step: Step, width: int) -> str:
    """Return the step as one line of at most `width` columns (0: as long as it is)."""
    long = _long(title, step)
    if not width or len(long) <= width:
        return long
    short = _short(title.partition(" of ")[0], step)
    return short if len(short) <= width else f"{short[: width - 3]}..."


def _long(title: str, step: Step) -> str:
    told = [f"sent {step.sent:,} of {step.total:,} rows"] if step.total else []
    told += [f"{step.rate:,.0f} rows/s"] if step.rate else []
    told += [f"{_duration(step.left)} left"] if step.left is not None else []
    counts = [
        f"{topic} {rows:,}" + (f" of {step.expected[topic]:,}" if topic in step.expected else "")
        for topic, rows in step.stored.items()
    ]
    stored = f"; stored {', '.join(counts)}" if counts else ""
    waits = "".join(f"; {text}" for text in step.waits)
    return f"{title}: {', '.join(told) or 'waiting for the first rows'}{stored}{waits}"


def _short(title: str, step: Step) -> str:
    """Return the line for a narrow terminal: thousands, and topics without their common word.

    What is waited for takes the place of what is stored.
    """
    if step.waits:
        done = f"sent {_count(step.sent)}/{_count(step.total)}; " if step.total else ""
        return f"{title}: {done}{'; '.join(step.waits)}"
    told = [f"sent {_count(step.sent)}/{_count(step.total)}"] if step.total else []
    told += [f"{_count(step.rate)}/s"] if step.rate else []
    told += [f"{_duration(step.left)} left"] if step.left is not None else []
    words = {topic.partition("-")[0] for topic in step.stored}
    skip = len(words.pop()) + 1 if len(step.stored) > 1 and len(words) == 1 else 0
    counts = [
        f"{topic[skip:] or topic} {_count(rows)}"
        + (f"/{_count(step.expected[topic])}" if topic in step.expected else "")
        for topic, rows in step.stored.items()
    ]
    stored = f"; stored {' '.join(counts)}" if counts else ""
    return f"{title}: {', '.join(told) or 'waiting'}{stored}"


def _count(rows: float) -> str:
    """Return a number of rows in at most four digits and a letter."""
    for letter, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if rows >= 10 * size:
            return f"{int(rows // size)}{letter}"
    return str(int(rows))


def _duration(seconds: float) -> str:
    """Return seconds as 6 s, 2 min 05 s, or 3 h 07 min."""
    whole = round(seconds)
    minutes, hours = whole // 60, whole // 3600
    if hours:
        return f"{hours} h {minutes % 60:02d} min"
    return f"{minutes} min {whole % 60:02d} s" if minutes else f"{whole} s"
