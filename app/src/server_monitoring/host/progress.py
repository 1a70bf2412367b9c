"""How producer and consumers word their progress: written and parsed in one place."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_SENT = re.compile(r"\bsent (\d+) of (\d+) rows \((\d+) messages, (\d+)/s\)")
_WAITS = re.compile(r"waiting for [^,:]{1,40}, at most \d+ s more")
_STORED = re.compile(r"\bstored ((?:\d+ of [^\s,;]+(?:, )?)+)(?: \((\d+)/s\))?")


@dataclass(frozen=True)
class Progress:
    """How far one unit is.

    Attributes:
        sent, total: rows of the data set that were sent, and all of them (0 for a consumer).
        stored: rows stored, by topic (empty for a producer).
        rate: rows of the data set sent, or rows stored of all topics, a second.

    """

    sent: int = 0
    total: int = 0
    stored: Mapping[str, int] = field(default_factory=dict)
    rate: float = 0.0


def sent_text(rows: int, total: int, metrics: int, now: int, seconds: float) -> str:
    """Return a producer's progress: `rows` of `total` rows sent, `metrics` messages each.

    `now` of the messages were sent in these `seconds`, the others by an earlier start.
    """
    rate = now / seconds if seconds > 0 else 0.0
    return f"sent {rows} of {total} rows ({rows * metrics} messages, {rate:.0f}/s)"


def stored_text(rows: Mapping[str, int], now: Mapping[str, int], seconds: float) -> str:
    """Return a consumer's progress: the `rows` stored of each topic.

    `now` of them were stored in these `seconds` (0: not known), the others by an earlier start.
    """
    counts = ", ".join(f"{n} of {topic}" for topic, n in rows.items())
    rate = f" ({sum(now.values()) / seconds:.0f}/s)" if seconds > 0 else ""
    return f"stored {counts}{rate}"


def waiting_text(what: str, left: float, why: object) -> str:
    """Return what a unit says that waits for `what`, at most `left` seconds more."""
    return f"waiting for {what}, at most {left:.0f} s more: {why}"


def waits(text: str) -> str | None:
    """Return for what and how long, if a status text says that its unit waits; else None."""
    found = _WAITS.match(text)
    return found[0] if found else None


def read(text: str) -> Progress | None:
    """Return the progress in a status text, or None if it is about something else."""
    if found := _SENT.search(text):
        sent, total, messages, rate = map(int, found.groups())
        return Progress(sent, total, rate=rate * sent / messages if messages else 0.0)
    if found := _STORED.search(text):
        pairs = (count.split(" of ") for count in found[1].rstrip(", ").split(", "))
        return Progress(stored={topic: int(n) for n, topic in pairs}, rate=float(found[2] or 0))
    return None
