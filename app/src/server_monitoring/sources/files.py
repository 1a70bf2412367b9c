"""Where rows come from: CSV, plain or compressed (gzip, zstd), or Parquet, told by the content.

Each source yields a row as its number and the texts of its fields, one at a time, in bounded
memory. The first bytes tell which it is, whatever the file's name: no CSV file with the columns of
a data set begins with one of the signatures.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from server_monitoring.errors import DatasetError, one_line

if TYPE_CHECKING:
    import _csv

GZIP, ZSTD, PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1"
_MAX_FIELD = 1 << 20
_MAX_LINE = 4 << 20
_BUFFER = 1 << 16
_BROKEN = (OSError, EOFError, zlib.error, csv.Error)


class Source(Protocol):
    """A table of texts.

    Attributes:
        header: the names of the columns.
        unit: what a row's number counts, `line` or `row`.

    """

    header: list[str]
    unit: str

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield each row's number and fields; raise DatasetError if the file is broken."""


def open_source(path: Path, file: BinaryIO, columns: Sequence[str]) -> Source:
    """Return the source for an open file.

    Raises:
        DatasetError: the file is empty or broken, or of a kind that cannot be read here.

    """
    try:
        file.seek(0)
        start = file.read(4)
    except OSError as error:
        raise DatasetError(f"{path}: {error.strerror}; name a file with data") from error
    if start == PARQUET:
        try:
            # pyarrow is large, and installed only where Parquet is wanted.
            from server_monitoring.sources.parquet import ParquetSource  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise DatasetError(
                f"{path}: a Parquet file, and {error.name} is not installed to read it; set "
                "app_parquet to true and provision the producer, or convert the file to CSV"
            ) from error
        return ParquetSource(path, file, columns)
    return CsvSource(path, file, start)


class CsvSource:
    """A CSV file in UTF-8, which may be compressed."""

    unit = "line"

    def __init__(self, path: Path, file: BinaryIO, start: bytes) -> None:
        """Read the header.

        Raises:
            DatasetError: the file is empty or broken.

        """
        self._path = path
        self._file = file
        self._start = start
        try:
            header = next(self._reader(), None)
        except _BROKEN as error:
            raise DatasetError(
                f"{path}: line 1: {one_line(error)}, expected a CSV header"
            ) from error
        if header is None:
            raise DatasetError(
                f"{path}: empty file, expected a header with ts, server_id and a column a metric"
            )
        self.header = header

    def _bytes(self) -> BinaryIO | io.BufferedIOBase:
        self._file.seek(0)
        if self._start.startswith(GZIP):
            return gzip.GzipFile(fileobj=self._file, mode="rb")
        if self._start == ZSTD:
            # zstandard is not there in the analysis venv.
            from server_monitoring.sources.zstd import ZstdFile  # noqa: PLC0415

            return io.BufferedReader(ZstdFile(self._file), _BUFFER)
        return self._file

    def _lines(self) -> Iterator[str]:
        # surrogateescape: a byte that is not UTF-8 makes its row bad, and does not end the pass.
        text = io.TextIOWrapper(
            self._bytes(),  # type: ignore[type-var]
            encoding="utf-8-sig",
            errors="surrogateescape",
            newline="",
        )
        try:
            while line := text.readline(_MAX_LINE):
                if len(line) == _MAX_LINE:
                    raise csv.Error(f"more than {_MAX_LINE} characters without a line end")
                yield line
        finally:
            # Otherwise it is collected together with its buffer, which closes the file.
            if text.buffer is self._file and not self._file.closed:
                text.detach()

    def _reader(self) -> "_csv.Reader":
        csv.field_size_limit(_MAX_FIELD)
        return csv.reader(self._lines(), strict=True)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield each row after the header, with the line that it begins on (the first is 1)."""
        reader = self._reader()
        line = 1
        try:
            next(reader, None)
            line = reader.line_num + 1
            for fields in reader:
                yield line, fields
                line = reader.line_num + 1
        except _BROKEN as error:
            raise DatasetError(
                f"{self._path}: line {line}: {one_line(error)}; mend the file"
            ) from error
