"""The wire format: one Kafka record per metric and row. Pure: no Kafka, no files.

key      server_id in UTF-8
value    JSON `{"ts": ..., "server_id": ..., "<column>": number}`
headers  `run_id` and `row` (the row's line in the data set), both as UTF-8 text
"""

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from server_monitoring.model.timestamps import form_of
from server_monitoring.model.values import canonical_double, check_record_id

RUN_ID_HEADER = "run_id"
ROW_HEADER = "row"
MAX_ROW_DIGITS = 18


class Reading(NamedTuple):
    """One value of one metric: timestamp, server and the value's canonical text."""

    ts: str
    server_id: str
    value: str


def encode_value(ts: str, server_id_json: str, column: str, value: str) -> bytes:
    """Return a record's value.

    Args:
        ts: a valid timestamp (needs no escaping).
        server_id_json: `json.dumps(server_id)`, computed once per server.
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
        ValueError: not the wire format, or the value is not finite.

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
    check_record_id(server_id)
    return Reading(ts, server_id, canonical_double(number))


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
