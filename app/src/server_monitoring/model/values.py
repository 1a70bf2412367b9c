"""Values of metrics and ids of servers: what is allowed, and its one canonical text."""

import math
import re
from decimal import Decimal
from functools import lru_cache

MAX_FRACTION_DIGITS = 18
VALUE_LIMIT = 10**12
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
        ValueError: not a finite number, or outside the limits; the text says what was expected.

    """
    if _NUMBER.fullmatch(text) is None:
        raise ValueError("a finite number")
    return canonical_double(float(text))


def canonical_double(value: float) -> str:
    """Return the canonical text of a double within the decimal limits.

    Raises:
        ValueError: not finite, 10^12 or more, or more than 18 fractional digits.

    """
    if not -VALUE_LIMIT < value < VALUE_LIMIT:
        raise ValueError("a number below 10^12" if math.isfinite(value) else "a finite number")
    text = decimal_text(value)
    # 2 + 12 + 18: only a longer text, or a small number, can have too many fractional digits.
    if len(text) > MAX_FRACTION_DIGITS + 2 and len(text) - text.index(".") - 1 > (
        MAX_FRACTION_DIGITS
    ):
        raise ValueError("at most 18 digits after the decimal point")
    return text


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
