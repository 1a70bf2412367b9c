"""Time stamps: text to whole seconds.

Two forms: `HH:mm:ss`, seconds since midnight of one day, and ISO 8601 with date and zone, seconds
since the epoch. One data set has one form: that of the setting `start`, whose zone is also the
one that windows are written in. Callers ask a form and never look into the text themselves.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

SECONDS_PER_DAY = 86_400
CLOCK_PATTERN = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
ZONE_PATTERN = "(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
# The pattern leaves dates such as 02-30 to whoever reads it.
ISO_PATTERN = (
    f"(19[7-9][0-9]|2[0-9]{{3}})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T{CLOCK_PATTERN}"
    f"{ZONE_PATTERN}"
)
_CLOCK = re.compile(CLOCK_PATTERN)
_ISO = re.compile(ISO_PATTERN)
_ISO_TIME_LENGTH = len("2024-05-01T20:52:00")


@dataclass(frozen=True)
class TimeForm:
    """One way to write time.

    Attributes:
        name: as shown in messages.
        pattern: regular expression, for Java and Python, that texts of the form match; it lets
            days pass that do not exist.
        matches: whether a text is exactly of this form.
        to_seconds: a matching text to seconds since the form's epoch.
        earliest: no window begins before this second; None where there is no such second.

    """

    name: str
    pattern: str
    matches: Callable[[str], bool]
    to_seconds: Callable[[str], int]
    earliest: int | None


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


CLOCK = TimeForm("HH:mm:ss", CLOCK_PATTERN, _clock_matches, _clock_to_seconds, 0)
ISO = TimeForm(
    "YYYY-MM-DDTHH:mm:ss with Z or an offset such as +02:00, from 1970 to 2999",
    ISO_PATTERN,
    _iso_matches,
    _iso_to_seconds,
    None,
)
FORMS = (CLOCK, ISO)


@lru_cache(maxsize=100_000)
def form_of(text: str) -> TimeForm | None:
    """Return the form `text` is written in, or None when it is no time stamp."""
    return next((form for form in FORMS if form.matches(text)), None)


def zone_of(text: str) -> str:
    """Return the zone at the end of an ISO 8601 time stamp: `Z` or `+HH:MM`."""
    return text[_ISO_TIME_LENGTH:]


def offset_of(zone: str) -> int:
    """Return the seconds that a zone is ahead of UTC."""
    if zone == "Z":
        return 0
    return (-1 if zone[0] == "-" else 1) * (int(zone[1:3]) * 3600 + int(zone[4:6]) * 60)


def time_text(second: int, like: str) -> str:
    """Return a second as text of the form, and in the zone, of the time stamp `like`.

    HH:mm:ss begins again at 00:00:00 past midnight.
    """
    if form_of(like) is CLOCK:
        of_day = second % SECONDS_PER_DAY
        return f"{of_day // 3600:02d}:{of_day // 60 % 60:02d}:{of_day % 60:02d}"
    zone = zone_of(like)
    local = datetime.fromtimestamp(second + offset_of(zone), UTC)
    return local.strftime("%Y-%m-%dT%H:%M:%S") + zone


def expected_forms() -> str:
    """Return the accepted forms as words for a message."""
    return " or ".join(form.name for form in FORMS)
