"""Live mode: the names that its parts share, and the ids of what it tells.

`topic-alerts` has a JSON record for each window that alerts and for each transition of an alert;
`topic-alert-state` is compacted: the key `[group, server_id, label]`, an alert's state now.
"""

import hashlib
import json
from datetime import UTC, datetime
from functools import lru_cache

from server_monitoring.model.names import PROGRAM

# The label of a server that is silent; that of the record which says how far its windows are.
NO_DATA, PROGRESS = "no data", ""
# Kinds of alert records.
WINDOW, TRANSITION = "window", "transition"
# States of an alert: of only some of the windows in a row that it needs, and the other two.
PENDING, FIRING, RESOLVED = "pending", "firing", "resolved"


def detector_group(group: str) -> str:
    """Return the consumer group under which the detectors of a metric group commit."""
    return f"{PROGRAM}-detect-{group}"


def detector_id(group: str, index: int) -> str:
    """Return the transactional id of a detector: a newer one with it fences the older."""
    return f"{detector_group(group)}-{index}"


def alert_id(*parts: str) -> str:
    """Return the id of an alert record: the same parts have the same id forever."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


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
