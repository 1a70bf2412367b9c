"""Many values at once: what `values` and `wire` do one by one, at a fraction of the cost.

Each function returns exactly what those would, or None if anything is unusual: the caller then
takes the batch value by value, and finds out what it is. orjson is missing from the venvs of the
analysis and of the control machine, so it is imported where it is used.
"""

from collections.abc import Sequence
from operator import lt

from server_monitoring.model.timestamps import form_of
from server_monitoring.model.values import (
    MAX_FRACTION_DIGITS,
    VALUE_LIMIT,
    canonical_double,
    check_record_id,
)
from server_monitoring.model.wire import MAX_ROW_DIGITS, ROW_HEADER

_NUMBER_BYTES = b"0123456789.+-eE,"
# A text that is no longer than this cannot have too many digits after its point.
_SURE_LENGTH = MAX_FRACTION_DIGITS + 2


def canonical_texts(numbers: list[float]) -> list[str] | None:
    """Return the canonical text of each double, as `values.canonical_double` does."""
    if not numbers:
        return None
    # The shortest digits that read back as the same double.
    try:
        import orjson  # noqa: PLC0415 - see above

        joined = orjson.dumps(numbers)[1:-1].decode()
    except ModuleNotFoundError:
        joined = ",".join(map(repr, numbers))
    if "n" in joined:  # null, inf or nan: not finite
        return None
    texts = joined.split(",")
    # An exponent, minus zero (or what looks like it), or perhaps too many digits.
    unusual = any(mark in joined for mark in ("e", "-0.0")) or max(map(len, texts)) > _SURE_LENGTH
    if unusual or not -VALUE_LIMIT < min(numbers) <= max(numbers) < VALUE_LIMIT:
        return list(map(canonical_double, numbers))
    return texts


def canonical_column(texts: Sequence[str]) -> list[str] | None:
    """Return the canonical text of each number, as `values.canonical_value` does; "" for ""."""
    joined = ",".join(texts)
    if not joined.isascii() or joined.encode().translate(None, _NUMBER_BYTES):
        return None
    given = list(filter(None, texts))
    try:
        found = canonical_texts([float(text) for text in given]) if given else []
    except ValueError:
        return None
    if found is None or len(given) == len(texts):
        return found
    each = iter(found)
    return [text and next(each) for text in texts]


def row_numbers(
    headers: Sequence[Sequence[tuple[str, bytes | None]]],
    run_header: tuple[str, bytes],
    last_row: int,
) -> list[int] | None:
    """Return the row numbers of records that are all of one run, ascending from above `last_row`.

    Each record's headers must be the run's name and its row number, and nothing else.
    """
    try:
        rows = [
            int(row)
            for run, (name, row) in headers
            if run == run_header and name == ROW_HEADER and row and row.isdigit()
        ]
    except ValueError:
        return None
    if not rows or len(rows) != len(headers) or rows[-1] >= 10**MAX_ROW_DIGITS:
        return None
    return rows if last_row < rows[0] and all(map(lt, rows, rows[1:])) else None


def decode_values(values: Sequence[bytes | None], column: str) -> list[tuple[str, str, str]] | None:
    """Return timestamp, server and canonical value of each record, as `wire.decode_value`."""
    import orjson  # noqa: PLC0415 - see above

    try:
        fields = [orjson.loads(value or b"") for value in values]
        times = [field["ts"] for field in fields]
        server_ids = [field["server_id"] for field in fields]
        numbers = [field[column] for field in fields]
        if set(map(type, numbers)) != {float}:
            return None
        for ts in set(times):
            if type(ts) is not str or form_of(ts) is None:
                return None
        for server_id in set(server_ids):
            if type(server_id) is not str:
                return None
            check_record_id(server_id)
    except (ValueError, TypeError, KeyError):
        return None
    texts = canonical_texts(numbers)
    return list(zip(times, server_ids, texts, strict=True)) if texts else None
