"""Parquet files as rows of texts, as a CSV file would have them. Needs pyarrow."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from server_monitoring.errors import DatasetError, one_line
from server_monitoring.sources.source import Block

ROWS_PER_BATCH = 1_000


class ParquetSource:
    """A Parquet file, of which only the wanted columns are read.

    A row's number is its position in the file; the first is 1.
    """

    unit = "row"

    def __init__(self, path: Path, file: BinaryIO, columns: Sequence[str]) -> None:
        """Read the schema.

        Raises:
            DatasetError: the file is broken.

        """
        self._path = path
        self._file = file
        try:
            names = self._open().schema_arrow.names
        except (pa.ArrowException, OSError) as error:
            raise self._broken(1, error) from error
        # The others may be of any type, and are ignored.
        self.header = [name for name in names if name in columns]

    def _open(self) -> pq.ParquetFile:
        self._file.seek(0)
        # A buffer for each column, instead of a whole row group at once.
        return pq.ParquetFile(pa.PythonFile(self._file, mode="r"), buffer_size=1 << 16)

    def _broken(self, row: int, error: Exception) -> DatasetError:
        return DatasetError(
            f"{self._path}: row {row}: not a readable Parquet file: {one_line(error, 160)}; "
            "write it again"
        )

    def blocks(self) -> Iterator[Block]:
        """Yield the rows, each with its number."""
        number = 1
        try:
            for batch in self._open().iter_batches(ROWS_PER_BATCH, columns=self.header):
                columns = [map(field_text, batch.column(name).to_pylist()) for name in self.header]
                rows = list(map(list, zip(*columns, strict=True)))
                yield Block(range(number, number + len(rows)), rows, {})
                number += len(rows)
        except (pa.ArrowException, OSError) as error:
            raise self._broken(number, error) from error


def field_text(value: object) -> str:
    """Return a value as a CSV file would have it; a type without such a form is refused later."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        # Without a zone the text has none either, and is refused as a timestamp.
        shown = value.astimezone(UTC) if value.tzinfo is not None else value
        return shown.isoformat().replace("+00:00", "Z")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)
