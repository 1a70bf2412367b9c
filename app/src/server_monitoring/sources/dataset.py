"""The data set: a table with ts, server_id and a column for each metric.

Guarantee: rows are read one at a time, in the file's order, in bounded memory; every row is
either yielded whole and canonical, or reported as bad with its number and column, or empty. One
line of a CSV file is one row, so a bad one costs no other. A field of a metric may be empty: that
metric has no value then, and the others have theirs.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from server_monitoring.errors import DatasetError, counted, shown
from server_monitoring.model.batches import canonical_column
from server_monitoring.model.csv_text import csv_row
from server_monitoring.model.layout import STOP, Layout
from server_monitoring.model.timestamps import CLOCK, TimeForm
from server_monitoring.model.values import canonical_value, check_server_id
from server_monitoring.sources import header
from server_monitoring.sources.clocks import Clocks
from server_monitoring.sources.csv_lines import LineError
from server_monitoring.sources.files import CsvSource, open_source
from server_monitoring.sources.rows import NO_VALUE, BadRow, EmptyRow, Problem, Report, Row
from server_monitoring.sources.source import Block
from server_monitoring.sources.times import Times

_CHUNK = 1 << 20
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+")


class Dataset:
    """An open data set, of which the columns `ts`, `server_id` and `columns` are read."""

    def __init__(
        self,
        path: Path,
        columns: Sequence[str],
        form: TimeForm | None,
        layout: Layout | None = None,
    ) -> None:
        """Open the file and find the columns in its header.

        Times are written in `form`, or all as in the first good row; what else the content does
        not say is in `layout`.

        Raises:
            DatasetError: missing, unreadable or empty file, or a missing column.

        """
        self.path = path
        self.columns = tuple(columns)
        self.layout = layout or Layout()
        self.form = form
        self._times = Times(form, self.layout.time_unit)
        wanted = ("ts", "server_id", *self.columns)
        try:
            self._file = path.open("rb")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise DatasetError(f"{path}: {reason}; name an existing file") from error
        try:
            self._source = open_source(path, self._file, wanted, self.layout)
            self._check_header(wanted)
            self._positions = [self._source.header.index(column) for column in wanted]
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        """Return the open data set."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def _check_header(self, wanted: Sequence[str]) -> None:
        source = self._source
        line = source.first_line if isinstance(source, CsvSource) else ""
        if problem := header.problem(source.header, wanted, line):
            where = f"{self.path}: line 1" if isinstance(source, CsvSource) else str(self.path)
            raise DatasetError(f"{where}: {problem}")

    def sha256(self) -> tuple[str, int]:
        """Return the file's sha256 (hex) and size in bytes."""
        self._file.seek(0)
        digest = hashlib.sha256()
        size = 0
        while chunk := self._file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
        return digest.hexdigest(), size

    def read(self, clocks: Clocks | None = None) -> Iterator[Row | BadRow | EmptyRow]:
        """Yield every row, in order; let `clocks` see the good ones if they have times of day.

        Raises:
            DatasetError: the file can no longer be read, or a clock goes back.

        """
        self._times = Times(self.form, self.layout.time_unit)
        for block in self._source.blocks():
            rows = self._whole(block, clocks)
            yield from self._each(block, clocks) if rows is None else rows

    def _whole(self, block: Block, clocks: Clocks | None) -> list[Row] | None:
        """Return the rows of a block if none is bad, or None if one may be."""
        if block.faults or set(map(len, block.rows)) != {len(self._source.header)}:
            return None
        fields = list(zip(*block.rows, strict=True))
        times, server_ids, *texts = [fields[at] for at in self._positions]
        try:
            for server_id in set(server_ids):
                check_server_id(server_id)
            if self._has_commas():
                texts = [tuple(map(_with_point, column)) for column in texts]
        except ValueError:
            return None
        found = [canonical_column(column) for column in texts]
        columns = [column for column in found if column is not None]
        canonical = self._times.canonical_all(times)
        if len(columns) < len(found) or canonical is None:
            return None
        values = list(map(list, zip(*columns, strict=True)))
        if not all(map(any, values)):
            return None
        if clocks is not None and self._times.form is CLOCK:
            clocks.watch(block.numbers, canonical, server_ids)
        return list(map(Row, block.numbers, canonical, server_ids, values))

    def _has_commas(self) -> bool:
        return self.layout.decimal_comma and isinstance(self._source, CsvSource)

    def _each(self, block: Block, clocks: Clocks | None) -> Iterator[Row | BadRow | EmptyRow]:
        """Yield the rows of a block that has others than good ones, looking at each by itself."""
        for line, fields in zip(block.numbers, block.rows, strict=True):
            row = self._row(line, fields, block.faults.get(line))
            if clocks is not None and self._times.form is CLOCK and isinstance(row, Row):
                clocks.watch([row.line], [row.ts], [row.server_id])
            yield row

    def _row(
        self, line: int, fields: list[str], fault: LineError | None
    ) -> Row | BadRow | EmptyRow:
        unit, names = self._source.unit, self._source.header
        if fault is not None:
            column = None if fault.field is None else dict(enumerate(names)).get(fault.field)
            problem = Problem(unit, line, column, shown(fault.found), str(fault))
            return BadRow(line, fields[0], [problem])
        if not any(fields) and isinstance(self._source, CsvSource):
            return EmptyRow(line)
        if len(fields) != len(names):
            problem = Problem(unit, line, None, counted(len(fields), "field"), str(len(names)))
            return BadRow(line, _text(fields), [problem])
        by_name = dict(zip(names, fields, strict=True))
        good: list[str] = []
        problems = []
        for column in ("ts", "server_id", *self.columns):
            try:
                good.append(self._good(column, by_name[column]))
            except ValueError as error:
                problems.append(Problem(unit, line, column, shown(by_name[column]), str(error)))
        if not any(by_name[column] for column in self.columns):
            problems.append(Problem(unit, line, None, "no value", "a value of at least one metric"))
        if problems:
            return BadRow(line, _text(fields), problems)
        ts, server_id, *values = good
        self._times.settle(ts)
        return Row(line, ts, server_id, values)

    def _good(self, column: str, text: str) -> str:
        """Return a field's canonical text; raise ValueError with what was expected."""
        if column == "ts":
            return self._times.canonical(text)
        if column == "server_id":
            check_server_id(text)
            return text
        if text and self._has_commas():
            text = _with_point(text)
        elif _DECIMAL_COMMA.fullmatch(text):
            raise ValueError(
                "a finite number with a decimal point (decimal commas are read if "
                "pipeline_decimal_comma is true)"
            )
        return canonical_value(text) if text else NO_VALUE

    def validate(self) -> Report:
        """Read the whole file, and report what is wrong with it.

        Raises:
            DatasetError: there are no rows at all, or a clock goes back and may not.

        """
        report = Report(missing=dict.fromkeys(self.columns, 0))
        stops = self.layout.clock_goes_back == STOP
        clocks = Clocks(f"{self.path}: {self._source.unit}") if stops else None
        row: Row | BadRow | EmptyRow = EmptyRow(1 if isinstance(self._source, CsvSource) else 0)
        for row in self.read(clocks):
            if isinstance(row, Row):
                report.rows += 1
                if NO_VALUE in row.values:
                    for column, value in zip(self.columns, row.values, strict=True):
                        report.missing[column] += not value
            elif isinstance(row, BadRow):
                report.add(row)
            else:
                report.empty += 1
        report.lines = row.line
        if not report.rows and not report.bad_rows:
            raise DatasetError(f"{self.path}: a header but no rows; name a file with data")
        return report


def _text(fields: list[str]) -> str:
    return csv_row(fields).removesuffix("\n")


def _with_point(text: str) -> str:
    if "." in text:
        raise ValueError("a number with a decimal comma, as pipeline_decimal_comma says")
    return text.replace(",", ".")
