"""Time stamps: text to whole seconds and back.

`HH:mm:ss` is the only form so far: seconds since midnight of one day. Another form (ISO 8601)
is another `TimeForm`; callers ask `form_of` and never look into the text themselves.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

SECONDS_PER_DAY = 86_400
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")


@dataclass(frozen=True)
class TimeForm:
    """One way to write time.

    Attributes:
        name: as shown in messages.
        matches: whether a text is exactly of this form.
        to_seconds: a matching text to seconds since the form's epoch.
        from_seconds: the inverse; the form decides what lies past its end.
        earliest: no window begins before this second.

    """

    name: str
    matches: Callable[[str], bool]
    to_seconds: Callable[[str], int]
    from_seconds: Callable[[int], str]
    earliest: int


def _clock_matches(text: str) -> bool:
    return _CLOCK.fullmatch(text) is not None


def _clock_to_seconds(text: str) -> int:
    return int(text[0:2]) * 3600 + int(text[3:5]) * 60 + int(text[6:8])


def _clock_from_seconds(seconds: int) -> str:
    of_day = seconds % SECONDS_PER_DAY
    return f"{of_day // 3600:02d}:{of_day // 60 % 60:02d}:{of_day % 60:02d}"


CLOCK = TimeForm("HH:mm:ss", _clock_matches, _clock_to_seconds, _clock_from_seconds, 0)
FORMS = (CLOCK,)


@lru_cache(maxsize=100_000)
def form_of(text: str) -> TimeForm | None:
    """Return the form `text` is written in, or None when it is no time stamp."""
    return next((form for form in FORMS if form.matches(text)), None)


def expected_forms() -> str:
    """Return the accepted forms as words for a message."""
    return " or ".join(form.name for form in FORMS)
