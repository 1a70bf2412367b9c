"""Timestamps: text to whole seconds.

Two forms: `HH:mm:ss`, seconds since midnight of one day, and ISO 8601 with date and zone, seconds
since the epoch. A data set has one form: that of the setting `start`, in whose zone windows are
written, or its own where `start` is empty, with windows in UTC. Callers ask the form and never
parse the text themselves.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

SECONDS_PER_DAY = 86_400
CLOCK_PATTERN = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
ZONE_PATTERN = "(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
# The pattern accepts dates that do not exist, such as 02-30: its user checks them.
ISO_PATTERN = (
    f"(19[7-9][0-9]|2[0-9]{{3}})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T{CLOCK_PATTERN}"
    f"{ZONE_PATTERN}"
)
_CLOCK = re.compile(CLOCK_PATTERN)
_ISO = re.compile(ISO_PATTERN)
_ISO_TIME_LENGTH = len("2024-05-01T20:52:00")


@dataclass(frozen=True)
class TimeForm:
    """A way to write times.

    Attributes:
        name: as shown in messages.
        pattern: regular expression, for Java and Python, that texts of the form match, and some
            dates that do not exist.
        matches: whether a text is a time of this form.
        to_seconds: a matching text to seconds since the form's epoch.
        earliest: no window starts before this second; None if there is no such limit.
        epoch: its second 0 as text, in UTC.

    """

    name: str
    pattern: str
    matches: Callable[[str], bool]
    to_seconds: Callable[[str], int]
    earliest: int | None
    epoch: str


def _clock_matches(text: str) -> bool:
    return _CLOCK.fullmatch(text) is not None


def _clock_to_seconds(text: str) -> int:
    return int(text[0:2]) * 3600 + int(text[3:5]) * 60 + int(text[6:8])


def _iso_matches(text: str) -> bool:
    if _ISO.fullmatch(text) is None:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _iso_to_seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


CLOCK = TimeForm("HH:mm:ss", CLOCK_PATTERN, _clock_matches, _clock_to_seconds, 0, "00:00:00")
ISO = TimeForm(
    "YYYY-MM-DDTHH:mm:ss with Z or an offset such as +02:00, from 1970 to 2999",
    ISO_PATTERN,
    _iso_matches,
    _iso_to_seconds,
    None,
    "1970-01-01T00:00:00Z",
)
FORMS = (CLOCK, ISO)


@lru_cache(maxsize=100_000)
def form_of(text: str) -> TimeForm | None:
    """Return the form that `text` is written in, or None if it is not a timestamp."""
    return next((form for form in FORMS if form.matches(text)), None)


def zone_of(text: str) -> str:
    """Return the zone at the end of an ISO 8601 timestamp: `Z` or `+HH:MM`."""
    return text[_ISO_TIME_LENGTH:]


def offset_of(zone: str) -> int:
    """Return the seconds that a zone is ahead of UTC."""
    if zone == "Z":
        return 0
    return (-1 if zone[0] == "-" else 1) * (int(zone[1:3]) * 3600 + int(zone[4:6]) * 60)


def time_text(second: int, like: str) -> str:
    """Return a second as text in the form and zone of the timestamp `like`.

    HH:mm:ss starts over at 00:00:00 past midnight.
    """
    if form_of(like) is CLOCK:
        of_day = second % SECONDS_PER_DAY
        return f"{of_day // 3600:02d}:{of_day // 60 % 60:02d}:{of_day % 60:02d}"
    zone = zone_of(like)
    local = datetime.fromtimestamp(second + offset_of(zone), UTC)
    return local.strftime("%Y-%m-%dT%H:%M:%S") + zone


def expected_forms() -> str:
    """Return the names of the accepted forms for a message."""
    return " or ".join(form.name for form in FORMS)
