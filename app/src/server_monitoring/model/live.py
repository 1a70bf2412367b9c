"""Live mode: the names that its parts share, and the ids of what it tells.

`topic-alerts` has a JSON record for each window that alerts and for each transition of an alert;
`topic-alert-state` is compacted: the key `[group, server_id, label]`, an alert's state now. What is
of no server has an empty id: how far a detector has read the topic that is its label, and the books
of the day in its label `books differ <day>`.
"""

import hashlib
import json
from datetime import UTC, datetime
from functools import lru_cache

from server_monitoring.model.groups import DEFAULT_COLUMNS
from server_monitoring.model.names import PROGRAM

# The label of a server that is silent; that of the record which says how far its windows are.
NO_DATA, PROGRESS = "no data", ""
# The alert of a day, and of no server, whose batch analysis found other alerts.
BOOKS_DIFFER = "books differ"
# Kinds of alert records.
WINDOW, TRANSITION = "window", "transition"
# By how much the clocks of a detector's host and of the brokers may differ.
CLOCK_SECONDS = 60
# A line among them that says how far its reader is.
POSITION = "position"
# Of the columns that agents send.
UNITS = dict(zip(DEFAULT_COLUMNS, ("%", "%", "kB/s", "kB/s"), strict=True))
# States of an alert: of only some of the windows in a row that it needs, and the other two.
PENDING, FIRING, RESOLVED = "pending", "firing", "resolved"


def detector_group(group: str) -> str:
    """Return the consumer group under which the detectors of a metric group commit."""
    return f"{PROGRAM}-detect-{group}"


def books_group(group: str) -> str:
    """Return the prefix of the transactional ids under which the books of a group are told."""
    return f"{PROGRAM}-books-{group}"


def detector_id(group: str, index: int) -> str:
    """Return the transactional id of a detector: a newer one with it fences the older."""
    return f"{detector_group(group)}-{index}"


def alert_id(*parts: str) -> str:
    """Return the id of an alert record: the same parts have the same id forever."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def state_key(group: str, server_id: str, label: str) -> bytes:
    """Return the key of a state record."""
    return json.dumps([group, server_id, label], ensure_ascii=False).encode()


def read_key(key: bytes) -> tuple[str, str, str]:
    """Return group, server id and label.

    Raises:
        ValueError: no key of a state record.

    """
    found = json.loads(key)
    if not isinstance(found, list) or list(map(type, found)) != [str, str, str]:
        raise ValueError("no key [group, server_id, label]")
    return found[0], found[1], found[2]


def books_label(day: str) -> str:
    """Return the label of the state record of a day's books."""
    return f"{BOOKS_DIFFER} {day}"


@lru_cache(maxsize=10_000)
def utc_text(second: int) -> str:
    """Return a second since 1970 as ISO 8601 in UTC."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=10_000)
def utc_second(text: str) -> int:
    """Return the second since 1970 of such a text.

    Raises:
        ValueError: it is none.

    """
    return int(datetime.fromisoformat(text).timestamp())


def read_positions(text: str) -> dict[int, int]:
    """Return what a line of the kind `position` has as its positions.

    Raises:
        ValueError: it is something else.

    """
    found = json.loads(text)
    if not isinstance(found, dict) or {type(at) for at in found.values()} - {int}:
        raise ValueError("no JSON object of offsets by partition")
    return {int(partition): at for partition, at in found.items()}
