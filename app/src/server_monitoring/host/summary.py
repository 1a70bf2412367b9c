"""The JSON summary that each command leaves in the run's directory."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime


def utc_now() -> str:
    """Return the current time in UTC as ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rates(rows: Mapping[str, int], seconds: float) -> dict[str, float]:
    """Return the rows per second of each topic; 0.0 if no time has passed."""
    return {topic: round(n / seconds, 1) if seconds > 0 else 0.0 for topic, n in rows.items()}


class Timer:
    """When a command started and how long it has run (seconds on the monotonic clock)."""

    def __init__(self) -> None:
        """Start now."""
        self.started = utc_now()
        self._start = time.monotonic()

    def seconds(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self._start

    def span(self) -> dict[str, object]:
        """Return `started`, `ended` and `seconds` for a summary."""
        return {
            "started": self.started,
            "ended": utc_now(),
            "seconds": round(self.seconds(), 3),
        }
