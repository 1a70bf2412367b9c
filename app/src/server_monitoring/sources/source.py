"""What every kind of source has: a header, and rows in blocks."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from server_monitoring.sources.csv_lines import LineError


class Block(NamedTuple):
    """Rows that lie one behind the other.

    Attributes:
        numbers: of the rows, ascending.
        rows: each row's fields; of a row at fault, the whole line as one field.
        faults: why a row has no fields, by its number.

    """

    numbers: Sequence[int]
    rows: list[list[str]]
    faults: Mapping[int, LineError]


class Source(Protocol):
    """A table of texts.

    Attributes:
        header: the names of the columns.
        unit: what a row's number counts, `line` or `row`.

    """

    header: list[str]
    unit: str

    def blocks(self) -> Iterator[Block]:
        """Yield all rows; raise DatasetError if the file is broken."""
