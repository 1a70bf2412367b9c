"""From a batch of records to rows of agents, by their day and whether they count live."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from server_monitoring.broker.reader import Record
from server_monitoring.model.batches import decode_values
from server_monitoring.model.live import utc_text
from server_monitoring.model.names import LIVE_RUN
from server_monitoring.model.senders import WHY, Senders
from server_monitoring.model.timestamps import ISO, SECONDS_PER_DAY, form_of
from server_monitoring.model.wire import RUN_ID_HEADER, decode_value

_LIVE = (RUN_ID_HEADER, LIVE_RUN.encode())
Reading = tuple[str, str, str]
MALFORMED, OUTLYING = "malformed", "outlying"


class Timely(NamedTuple):
    """Which rows count live: none of `late` seconds ago when it arrives, or `future` ahead."""

    late: int
    future: int


class Row(NamedTuple):
    """A row with the offset of its record, its second since 1970, its UTC day, and its reading."""

    offset: int
    second: int
    day: str
    timely: bool
    reading: Reading


@lru_cache(maxsize=1_000)
def day_of(number: int) -> str:
    """Return the date of a day, numbered since 1970."""
    return utc_text(number * SECONDS_PER_DAY)[: len("2026-11-30")]


@lru_cache(maxsize=100_000)
def _second(ts: str) -> int | None:
    return ISO.to_seconds(ts) if form_of(ts) is ISO else None


def own(records: Sequence[Record]) -> list[Record]:
    """Return those records that agents sent."""
    return [record for record in records if _LIVE in record.headers]


def rows(
    records: Sequence[Record],
    column: str,
    timely: Timely,
    aside: Callable[[Record, str, str], None],
    senders: Senders,
    topic: str,
) -> Iterator[Row]:
    """Yield the rows of `senders` in records of agents.

    Each other record is given to `aside`, with the name under which it counts, and why.
    """
    anyone = senders.anyone
    readings: Sequence[Reading | None] | None = decode_values([r.value for r in records], column)
    if readings is None:
        readings = [_decoded(record, column, aside) for record in records]
    for record, reading in zip(records, readings, strict=True):
        if reading is None:
            continue
        second = _second(reading[0])
        if second is None:
            aside(record, MALFORMED, "a time in ts without a date")
            continue
        if not anyone and (
            refused := senders.refusal(topic, reading[1], record.key, record.value, record.headers)
        ):
            aside(record, refused, WHY[refused])
            continue
        arrived = record.timestamp / 1000
        counts = arrived - timely.late <= second <= arrived + timely.future
        yield Row(record.offset, second, day_of(second // SECONDS_PER_DAY), counts, reading)


def _decoded(
    record: Record, column: str, aside: Callable[[Record, str, str], None]
) -> Reading | None:
    try:
        return decode_value(record.value, column)
    except ValueError as error:
        aside(record, MALFORMED, str(error))
        return None
