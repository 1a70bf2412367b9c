"""From records to the rows of agents; what is none is left out and counted."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from server_monitoring.broker.reader import Record, TopicPartition
from server_monitoring.model import timestamps
from server_monitoring.model.batches import decode_values
from server_monitoring.model.exact import Exact, exact
from server_monitoring.model.live import utc_second
from server_monitoring.model.names import LIVE_RUN
from server_monitoring.model.senders import Senders
from server_monitoring.model.timestamps import ISO
from server_monitoring.model.wire import RUN_ID_HEADER, decode_value, partition_for

FOREIGN, MALFORMED, MISPLACED = "foreign", "malformed", "misplaced"
_LIVE = (RUN_ID_HEADER, LIVE_RUN.encode())


class Row(NamedTuple):
    """A value of a metric.

    Attributes:
        second: that it is of, since 1970.
        value: in units of 10^-18.
        offset: of its record.
        arrived: when the broker took it, in seconds since 1970.

    """

    second: int
    server_id: str
    value: Exact
    offset: int
    arrived: float


def rows(
    records: Sequence[Record],
    column: str,
    tp: TopicPartition,
    partitions: int,
    senders: Senders,
    seen: Counter[str],
) -> list[Row]:
    """Return the rows of `senders` among a partition's records, and count in `seen` what is none.

    Foreign records are of other runs; a misplaced row is in another partition than its server's,
    where no detector would look for it.
    """
    anyone = senders.anyone
    own = [record for record in records if _LIVE in record.headers]
    seen[FOREIGN] += len(records) - len(own)
    values = [record.value for record in own]
    found: Sequence[tuple[str, str, str] | None] | None = decode_values(values, column)
    if found is None:
        found = [_decoded(value, column) for value in values]
    taken = []
    for record, reading in zip(own, found, strict=True):
        if reading is None or timestamps.form_of(reading[0]) is not ISO:
            seen[MALFORMED] += 1
        elif partition_for(reading[1], partitions) != tp.partition:
            seen[MISPLACED] += 1
        elif not anyone and (
            refused := senders.refusal(
                tp.topic, reading[1], record.key, record.value, record.headers
            )
        ):
            seen[refused] += 1
        else:
            ts, server_id, value = reading
            arrived = record.timestamp / 1000
            taken.append(Row(utc_second(ts), server_id, exact(value), record.offset, arrived))
    return taken


def _decoded(value: bytes | None, column: str) -> tuple[str, str, str] | None:
    try:
        return decode_value(value, column)
    except ValueError:
        return None
