"""Where rows come from: CSV, plain or compressed (gzip, zstd), or Parquet, told by the content.

Each source yields rows as their numbers and the texts of their fields, some hundreds at once, in
bounded memory: a line of CSV text is one row, whatever is in it, and one that is too long costs no
more than the others.
"""

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from server_monitoring.errors import DatasetError, one_line, shown
from server_monitoring.model.layout import SEPARATORS, Layout
from server_monitoring.sources import signatures
from server_monitoring.sources.csv_lines import LineError, Splitter
from server_monitoring.sources.source import Block, Source

MAX_LINE_CHARACTERS = 1 << 20
_BUFFER = 1 << 16
_CHUNK = 1 << 15  # bytes that are read at once; some hundred lines
_KEPT = 1_000  # characters that are kept of a line that is too long
_BROKEN = (OSError, EOFError, zlib.error)


def open_source(path: Path, file: BinaryIO, columns: Sequence[str], layout: Layout) -> Source:
    """Return the source for an open file.

    Raises:
        DatasetError: the file is empty or broken, or of a kind that cannot be read here.

    """
    try:
        file.seek(0)
        start = file.read(signatures.LOOKED_AT)
    except OSError as error:
        raise DatasetError(f"{path}: {error.strerror}; name a file with data") from error
    if start.startswith(signatures.PARQUET):
        try:
            # pyarrow is large, and installed only where Parquet is wanted.
            from server_monitoring.sources.parquet import ParquetSource  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise DatasetError(
                f"{path}: a Parquet file, and {error.name} is not installed to read it; set "
                "app_parquet to true and provision the producer, or convert the file to CSV"
            ) from error
        return ParquetSource(path, file, columns)
    packed = start.startswith(signatures.GZIP) or signatures.is_zstd(start)
    if not packed and (kind := signatures.unreadable(start)):
        raise _refused(path, *kind)
    return CsvSource(path, file, start, layout)


def _refused(path: Path, what: str, advice: str) -> DatasetError:
    return DatasetError(
        f"{path}: found {what}, expected a CSV file in UTF-8, plain or compressed by gzip or zstd, "
        f"or a Parquet file; {advice}"
    )


class CsvSource:
    """A CSV file in UTF-8, which may be compressed."""

    unit = "line"

    def __init__(self, path: Path, file: BinaryIO, start: bytes, layout: Layout) -> None:
        """Read the header.

        Raises:
            DatasetError: the file is empty or broken.

        """
        self._path = path
        self._file = file
        self._start = start
        self._separator = SEPARATORS[layout.separator]
        self._splitter = Splitter(self._separator)
        self._check_content()
        first = next(self._lines(), None)
        if first is None:
            raise DatasetError(
                f"{path}: empty file, expected a header with ts, server_id and a column a metric"
            )
        self.first_line = first[1][0]
        try:
            self.header = self._fields(self.first_line)
        except LineError as fault:
            raise DatasetError(
                f"{path}: line 1: found {shown(fault.found)}, expected {fault} in a CSV header"
            ) from fault

    def _check_content(self) -> None:
        """Refuse what is packed twice, or something else than text below its compression."""
        if (content := self._bytes()) is self._file:
            return
        try:
            kind = signatures.packed_twice(content.read(signatures.LOOKED_AT))
        except _BROKEN as error:
            raise self._broken(1, error) from error
        if kind:
            outer = "gzip" if self._start.startswith(signatures.GZIP) else "zstd"
            raise _refused(self._path, f"{kind[0]} in {outer}", kind[1])

    def _broken(self, line: int, error: BaseException) -> DatasetError:
        return DatasetError(f"{self._path}: line {line}: {one_line(error)}; mend the file")

    def _bytes(self) -> BinaryIO | io.BufferedIOBase:
        self._file.seek(0)
        if self._start.startswith(signatures.GZIP):
            return gzip.GzipFile(fileobj=self._file, mode="rb")
        if signatures.is_zstd(self._start):
            try:
                # zstandard is not there in the analysis venv.
                from server_monitoring.sources.zstd import ZstdFile  # noqa: PLC0415
            except ModuleNotFoundError as error:
                raise DatasetError(
                    f"{self._path}: compressed by zstd, and {error.name} is not installed to read "
                    "it; install it, or unpack the file"
                ) from error
            return io.BufferedReader(ZstdFile(self._file), _BUFFER)
        return self._file

    def _lines(self) -> Iterator[tuple[bool, list[str]]]:
        """Yield lists of lines without their ends, and whether there is a quotation mark in them.

        Of a line that is too long, its beginning is kept, still too long for a row.
        """
        # surrogateescape: a byte that is not UTF-8 makes its row bad, and does not end the pass.
        utf8 = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")
        # A line ends with \n, \r\n or \r.
        decoder = io.IncrementalNewlineDecoder(utf8, translate=True)
        content, rest, number = self._bytes(), "", 1
        try:
            while data := content.read(_CHUNK):
                text = decoder.decode(data)
                if len(rest) > MAX_LINE_CHARACTERS and "\n" not in text:
                    continue
                text = rest + text
                lines = text.split("\n")
                # Longer by one than is allowed, so that it is known for what it is.
                rest = lines.pop()[: MAX_LINE_CHARACTERS + 1]
                number += len(lines)
                if lines:
                    yield '"' in text, lines
        except _BROKEN as error:
            raise self._broken(number, error) from error
        if text := rest + decoder.decode(b"", final=True):
            # A last \r was held back until it was known that no \n follows.
            yield '"' in text, text.removesuffix("\n").split("\n")

    def _fields(self, line: str) -> list[str]:
        if len(line) > MAX_LINE_CHARACTERS:
            raise LineError(
                None, line[:_KEPT], f"a line of at most {MAX_LINE_CHARACTERS:,} characters"
            )
        return self._splitter.fields(line)

    def blocks(self) -> Iterator[Block]:
        """Yield the rows after the header, each with its line (the first is 1)."""
        number = 1
        for has_quotes, lines in self._lines():
            block = self._block(number, lines, has_quotes=has_quotes)
            number += len(lines)
            yield block

    def _block(self, number: int, lines: list[str], *, has_quotes: bool) -> Block:
        if number == 1:
            number, lines = 2, lines[1:]
        numbers = range(number, number + len(lines))
        rows = self._rows(lines, has_quotes=has_quotes)
        if rows is not None:
            return Block(numbers, rows, {})
        rows, faults = [], {}
        for at, line in zip(numbers, lines, strict=True):
            try:
                rows.append(self._fields(line))
            except LineError as fault:
                faults[at] = fault
                rows.append([line[:_KEPT]])
        return Block(numbers, rows, faults)

    def _rows(self, lines: list[str], *, has_quotes: bool) -> list[list[str]] | None:
        """Return the fields of all lines, or None where each has to be looked at by itself."""
        if max(map(len, lines), default=0) > MAX_LINE_CHARACTERS:
            return None
        separator = self._separator
        if not has_quotes:
            return [line.split(separator) for line in lines]
        csv.field_size_limit(MAX_LINE_CHARACTERS)
        try:
            rows = list(csv.reader(lines, delimiter=separator, strict=True))
        except csv.Error:
            return None
        # A row that spans lines makes them fewer. A mark that is left may be one within a field.
        whole = len(rows) == len(lines) and '"' not in "".join(map("".join, rows))
        return rows if whole else None
