"""A sample as a line of the spool: that of a data set, `ts,server_id` and the four values.

So a spool's files, with a header before them, are data sets that `produce` takes.
"""

from typing import NamedTuple

from server_monitoring.model.csv_text import csv_field
from server_monitoring.model.groups import DEFAULT_COLUMNS
from server_monitoring.model.timestamps import ISO, time_text
from server_monitoring.model.values import canonical_value, check_server_id

COLUMNS = DEFAULT_COLUMNS
_UTC = "1970-01-01T00:00:00Z"


class Row(NamedTuple):
    """One sample.

    Attributes:
        second: for which it was scheduled, since the epoch.
        server_id: whose it is.
        values: canonical texts, in the order of COLUMNS.

    """

    second: int
    server_id: str
    values: tuple[str, ...]

    @property
    def ts(self) -> str:
        """The second in ISO 8601, in UTC."""
        return utc_text(self.second)


def utc_text(second: int) -> str:
    """Return a second since the epoch in ISO 8601, in UTC."""
    return time_text(second, _UTC)


def encode(row: Row) -> bytes:
    """Return a row as a line."""
    return f"{row.ts},{csv_field(row.server_id)},{','.join(row.values)}\n".encode()


def decode(line: bytes) -> Row:
    """Return the row of a line without its end.

    Raises:
        ValueError: `encode` has not written it.

    """
    ts, _, rest = line.decode().partition(",")
    field, *values = rest.rsplit(",", len(COLUMNS))
    server_id = field[1:-1].replace('""', '"') if field.startswith('"') else field
    check_server_id(server_id)
    known = ISO.matches(ts) and list(map(canonical_value, values)) == values
    if not known or len(values) != len(COLUMNS) or csv_field(server_id) != field:
        raise ValueError("a line that no agent has written")
    return Row(ISO.to_seconds(ts), server_id, tuple(values))
