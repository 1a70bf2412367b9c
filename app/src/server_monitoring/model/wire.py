"""The wire format: one Kafka record per metric and row. Pure: no Kafka, no files.

key      server_id in UTF-8
value    JSON `{"ts": ..., "server_id": ..., "<column>": number}`
headers  `run_id` and `row` (the row's line in the data set), both as UTF-8 text
"""

import json
import math
import re
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from server_monitoring.model.timestamps import form_of

RUN_ID_HEADER = "run_id"
ROW_HEADER = "row"
MAX_FRACTION_DIGITS = 18
MAX_ROW_DIGITS = 18
VALUE_LIMIT = 10**12
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


class Reading(NamedTuple):
    """One value of one metric: time stamp, server and the value's canonical text."""

    ts: str
    server_id: str
    value: str


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
        ValueError: not a finite number, or outside the limits; its text says what was expected.

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


def encode_value(ts: str, server_id_json: str, column: str, value: str) -> bytes:
    """Return a record's value.

    Args:
        ts: a valid time stamp (needs no escaping).
        server_id_json: `json.dumps(server_id)`, computed once a server.
        column: a name of letters, digits and underscores.
        value: canonical text, which is a JSON number as it stands.

    """
    return f'{{"ts": "{ts}", "server_id": {server_id_json}, "{column}": {value}}}'.encode()


def row_number(headers: Iterable[tuple[str, bytes | None]]) -> int:
    """Return the row number in a record's headers.

    Raises:
        ValueError: there is none, or it is not a positive whole number.

    """
    for name, value in headers:
        if name == ROW_HEADER:
            if (
                value
                and value.isdigit()
                and len(value) <= MAX_ROW_DIGITS
                and (number := int(value))
            ):
                return number
            break
    raise ValueError("no row number in the header row")


_decode = json.JSONDecoder(parse_int=float).decode


def decode_value(value: bytes | None, column: str) -> Reading:
    """Return the reading in a record's value.

    Raises:
        ValueError: not the wire format, or the value is outside the decimal limits.

    """
    try:
        fields = _decode((value or b"").decode())
        ts, server_id, number = fields["ts"], fields["server_id"], fields[column]
    except KeyError as error:
        message = f"no field {error}"
        raise ValueError(message) from None
    except (TypeError, AttributeError, RecursionError):
        raise ValueError("not a JSON object") from None
    if type(ts) is not str or type(server_id) is not str or type(number) is not float:
        raise ValueError("a field of the wrong type")
    if form_of(ts) is None:
        raise ValueError("no time stamp in ts")
    check_server_id(server_id)
    return Reading(ts, server_id, canonical_double(number))


@lru_cache(maxsize=100_000)
def check_server_id(server_id: str) -> None:
    """Refuse a server id that cannot be a key and a CSV field.

    Raises:
        ValueError: empty, not representable in UTF-8, or with a NUL character.

    """
    if not server_id or "\0" in server_id or any("\ud800" <= c <= "\udfff" for c in server_id):
        raise ValueError("a server id in UTF-8, not empty, without NUL")


def murmur2(data: bytes) -> int:
    """Return the 32-bit murmur2 of `data`, as Kafka's Java client computes it (unsigned).

    Source: org.apache.kafka.common.utils.Utils.murmur2.
    """
    mask, factor = 0xFFFFFFFF, 0x5BD1E995
    length = len(data)
    hashed = 0x9747B28C ^ length
    whole = length & ~3
    for position in range(0, whole, 4):
        word = int.from_bytes(data[position : position + 4], "little") * factor & mask
        word = (word ^ (word >> 24)) * factor & mask
        hashed = (hashed * factor & mask) ^ word
    if length != whole:
        hashed = (hashed ^ int.from_bytes(data[whole:], "little")) * factor & mask
    hashed = (hashed ^ (hashed >> 13)) * factor & mask
    return hashed ^ (hashed >> 15)


@lru_cache(maxsize=100_000)
def partition_for(server_id: str, partitions: int) -> int:
    """Return the partition of a server's records: the default choice of Kafka's Java client."""
    return (murmur2(server_id.encode()) & 0x7FFFFFFF) % partitions
