"""Timestamps: text to whole seconds.

Two forms: `HH:mm:ss`, seconds since midnight of one day, and ISO 8601 with date and zone, seconds
since the epoch. A data set has one form: that of the setting `start`, in whose zone windows are
written, or its own where `start` is empty, with windows in UTC. Callers ask the form and never
parse the text themselves.

Records, raw data and tables hold canonical texts alone: what `TimeForm.matches` takes. A data set
may write its times in other ways, which `canonical_time` and `epoch_time` read.
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
_LONGEST = len("2024-05-01T20:52:00+00:00")
_FRACTION = r"(?:[.,][0-9]+)?"
_CLOCK_AS_WRITTEN = re.compile(f"(?P<time>{CLOCK_PATTERN}){_FRACTION}")
_ISO_AS_WRITTEN = re.compile(
    rf"(?P<date>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})[Tt ](?P<time>{CLOCK_PATTERN}){_FRACTION}"
    r"(?P<zone>[Zz]|(?P<hours>[+-][0-9]{2})(?::?(?P<minutes>[0-9]{2}))?)?"
)
_EPOCH = re.compile(r"(?P<whole>[0-9]{1,14})(?:\.[0-9]*)?")


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
_LAST_SECOND = ISO.to_seconds("2999-12-31T23:59:59Z")


def form_of(text: str) -> TimeForm | None:
    """Return the form that `text` is written in, or None if it is not a timestamp."""
    return _form_of(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=100_000)
def _form_of(text: str) -> TimeForm | None:
    return next((form for form in FORMS if form.matches(text)), None)


def seconds_of(text: str) -> int:
    """Return the second of a timestamp of either form, since the form's epoch."""
    return (form_of(text) or CLOCK).to_seconds(text)


def canonical_time(text: str) -> str:
    """Return a time of day or of ISO 8601 in its form's canonical text; fractions are floored.

    Taken as well: fractions of a second, a lower-case t or z, a blank for T, zones without colon
    or minutes.

    Raises:
        ValueError: no time; the text is empty, or says what is missing.

    """
    if clock := _CLOCK_AS_WRITTEN.fullmatch(text):
        return clock["time"]
    iso = _ISO_AS_WRITTEN.fullmatch(text)
    if iso is None:
        raise ValueError
    if iso["zone"] is None:
        raise ValueError("the zone is missing, such as Z or +01:00")
    hours = iso["hours"]
    found = f"{iso['date']}T{iso['time']}" + (f"{hours}:{iso['minutes'] or '00'}" if hours else "Z")
    if not ISO.matches(found):
        raise ValueError
    return found


def epoch_time(text: str, per_second: int) -> str:
    """Return a count since 1970, of `per_second` in a second, as ISO 8601 in UTC; floored.

    Raises:
        ValueError: no such count, or after the year 2999.

    """
    count = _EPOCH.fullmatch(text)
    if count is None or (second := int(count["whole"]) // per_second) > _LAST_SECOND:
        raise ValueError
    return time_text(second, "1970-01-01T00:00:00Z")


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
