"""Values of metrics and ids of servers: what is allowed, and its one canonical text.

A value is a finite double. Its canonical text has the shortest digits that read back as the same
double, in positional notation while it is below 10^12 with at most 18 digits after its point, as
nearly every value is, and with an exponent (`5E-324`, `1.22488121344E+12`) else: a *wide* value.
"""

import math
import re
from decimal import Decimal
from functools import lru_cache

MAX_FRACTION_DIGITS = 18
VALUE_LIMIT = 10**12
# Every wide text has one of them, and no other has: they are found in a whole file at once.
WIDE_MARKS = ("E+", "E-")


def _up_to(digits: str) -> str:
    """Return the pattern of digits after a point, or none, that are not above `digits`."""
    pattern = ""
    for digit in reversed(digits):
        below = f"[0-{int(digit) - 1}][0-9]*|" if digit != "0" else ""
        pattern = f"(?:{below}{digit}{pattern})?"
    return pattern


# Canonical texts match one of these, for Java and Python alike; what does is a finite double.
POSITIONAL_PATTERN = rf"-?[0-9]{{1,12}}\.[0-9]{{1,{MAX_FRACTION_DIGITS}}}"
_UP_TO_299 = "[1-9][0-9]?|[12][0-9]{2}"
WIDE_PATTERN = (
    rf"-?(?:[1-9](?:\.[0-9]{{1,16}})?E(?:-(?:{_UP_TO_299}|3[01][0-9]|32[0-4])"
    rf"|\+(?:{_UP_TO_299}|30[0-7]))|1(?:\.(?=[0-9]){_up_to('7976931348623157')})?E\+308)"
)
MAX_ID_CHARACTERS = 255
# Line ends, what else controls a terminal, and what turns a line's direction.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# Of no width; Python's own strip() takes the blanks that have one, no-break ones too.
_UNSEEN = "\u200b\u200c\u200d\u2060\ufeff"
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def decimal_text(value: float) -> str:
    """Return the shortest decimal text of a finite double, in positional notation.

    The digits are those of Python's `repr` (shortest that reads back as the same double), with
    at least one digit after the point and no exponent: 5.0, 0.00001. Minus zero becomes 0.0.
    """
    text = repr(value)
    if "e" in text:
        text = format(Decimal(text), "f")
        if "." not in text:
            text += ".0"
    return "0.0" if text == "-0.0" else text


def canonical_value(text: str) -> str:
    """Return the canonical text of a number written as `text`.

    Raises:
        ValueError: not a finite number; the text says what was expected.

    """
    if _NUMBER.fullmatch(text) is None:
        raise ValueError("a finite number")
    return canonical_double(float(text))


def canonical_double(value: float) -> str:
    """Return the canonical text of a double.

    Raises:
        ValueError: not finite.

    """
    if not math.isfinite(value):
        raise ValueError("a finite number")
    if -VALUE_LIMIT < value < VALUE_LIMIT:
        text = decimal_text(value)
        # 2 + 12 + 18: only a longer text, or a small number, can have too many digits.
        if len(text) <= MAX_FRACTION_DIGITS + 2 or (
            len(text) - text.index(".") - 1 <= MAX_FRACTION_DIGITS
        ):
            return text
    return wide_text(value)


def wide_text(value: float) -> str:
    """Return the shortest digits of a finite double other than zero, with an exponent."""
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    first, *rest = map(str, digits)
    fraction = f".{''.join(rest)}" if rest else ""
    return f"{'-' * sign}{first}{fraction}E{int(exponent) + len(rest):+d}"


def is_wide(text: str) -> bool:
    """Return whether a canonical text is that of a wide value."""
    return "E" in text


# Both caches are bounded in bytes too, as no longer id gets into them: what is refused is not kept.
@lru_cache(maxsize=100_000)
def check_server_id(server_id: str) -> None:
    """Refuse a server id that a data set may not have.

    Raises:
        ValueError: `check_record_id` refuses it, or it has control characters, or blanks at an end.

    """
    check_record_id(server_id)
    if _CONTROL.search(server_id):
        raise ValueError("a server id without line ends or other control characters")
    if server_id.strip().strip(_UNSEEN) != server_id:
        raise ValueError("a server id without blanks at its ends")


@lru_cache(maxsize=100_000)
def check_record_id(server_id: str) -> None:
    """Refuse a server id that cannot be a key and a CSV field, but take those of older versions.

    Raises:
        ValueError: empty, too long, not representable in UTF-8, or with a NUL character.

    """
    if not server_id or "\0" in server_id or any("\ud800" <= c <= "\udfff" for c in server_id):
        raise ValueError("a server id in UTF-8, not empty, without NUL")
    if len(server_id) > MAX_ID_CHARACTERS:
        raise ValueError(
            f"a server id of at most {MAX_ID_CHARACTERS} characters, not {len(server_id):,}"
        )
