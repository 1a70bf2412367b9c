"""The data set: a table with ts, server_id and a column for each metric.

Guarantee: rows are read one at a time, in the file's order, in bounded memory; every row is
either yielded whole and canonical, or reported as bad with its number and column. A field of a
metric may be empty: that metric has no value then, and the others have theirs.
"""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

from server_monitoring.errors import DatasetError, one_line
from server_monitoring.model.batches import canonical_column
from server_monitoring.model.timestamps import TimeForm
from server_monitoring.model.values import canonical_value, check_server_id
from server_monitoring.sources.files import open_source

SHOWN_PROBLEMS = 20
NO_VALUE = ""
_CHUNK = 1 << 20
# Rows that are checked together; if one of them may be bad, they are checked one by one.
_ROWS = 500


class Row(NamedTuple):
    """A good row: its number, and the canonical values in the wanted order, NO_VALUE for none.

    A row's number is its line in a CSV file (the first is 1), or its position in a Parquet file.
    """

    line: int
    ts: str
    server_id: str
    values: list[str]


class Problem(NamedTuple):
    """What is wrong with one field (or, with column None, with a whole row)."""

    unit: str
    line: int
    column: str | None
    found: str
    expected: str

    def where(self) -> str:
        """Return the row's number, as a phrase."""
        return f"{self.unit} {self.line}"

    def reason(self) -> str:
        """Return what is wrong, without the row's number."""
        column = f"column {self.column}: " if self.column else ""
        return f"{column}found {self.found}, expected {self.expected}"

    def __str__(self) -> str:
        """Return the problem as a phrase."""
        return f"{self.where()}{', ' if self.column else ': '}{self.reason()}"


class BadRow(NamedTuple):
    """A row that cannot be used."""

    line: int
    fields: list[str]
    problems: list[Problem]


@dataclass
class Report:
    """What a pass over the whole file found.

    Attributes:
        rows: good rows.
        missing: by column, the good rows without a value in it.
        bad_rows, problems: rows that cannot be used, and what is wrong with them.
        shown: the first of the problems.

    """

    rows: int = 0
    missing: dict[str, int] = field(default_factory=dict)
    bad_rows: int = 0
    problems: int = 0
    shown: list[Problem] = field(default_factory=list)

    def add(self, bad: BadRow) -> None:
        """Count a bad row, and keep its problems as long as there are few."""
        self.bad_rows += 1
        self.problems += len(bad.problems)
        self.shown += bad.problems[: SHOWN_PROBLEMS - len(self.shown)]

    def text(self) -> str:
        """Return the problems on one line."""
        rest = self.problems - len(self.shown)
        more = f"; and {rest} more" if rest else ""
        return "; ".join(str(problem) for problem in self.shown) + more


class Dataset:
    """An open data set, of which the columns `ts`, `server_id` and `columns` are read."""

    def __init__(self, path: Path, columns: Sequence[str], form: TimeForm) -> None:
        """Open the file and find the columns in its header; times are written in `form`.

        Raises:
            DatasetError: missing, unreadable or empty file, or a missing column.

        """
        self.path = path
        self.columns = tuple(columns)
        self.form = form
        wanted = ("ts", "server_id", *self.columns)
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise DatasetError(f"{path}: {error.strerror}; name an existing file") from error
        try:
            self._source = open_source(path, self._file, wanted)
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
        header = self._source.header
        for column in wanted:
            if header.count(column) != 1:
                found = one_line(",".join(header), 120) or "an empty line"
                times = "twice" if column in header else "not there"
                raise DatasetError(
                    f"{self.path}: line 1: column {column} is {times}: found {found}, "
                    f"expected each of {', '.join(wanted)} once"
                )

    def sha256(self) -> tuple[str, int]:
        """Return the file's sha256 (hex) and size in bytes."""
        self._file.seek(0)
        digest = hashlib.sha256()
        size = 0
        while chunk := self._file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
        return digest.hexdigest(), size

    def read(self) -> Iterator[Row | BadRow]:
        """Yield every row, in order.

        Raises:
            DatasetError: the file can no longer be read, or a field never ends.

        """
        rows = self._source.rows()
        while block := list(itertools.islice(rows, _ROWS)):
            yield from self._whole(block) or map(self._row, block)

    def _whole(self, block: list[tuple[int, list[str]]]) -> list[Row] | None:
        """Return the rows of a block if none is bad, or None if one may be."""
        lines, rows = zip(*block, strict=True)
        if set(map(len, rows)) != {len(self._source.header)}:
            return None
        fields = list(zip(*rows, strict=True))
        times, server_ids, *texts = [fields[at] for at in self._positions]
        try:
            for server_id in set(server_ids):
                check_server_id(server_id)
        except ValueError:
            return None
        found = [canonical_column(column) for column in texts]
        columns = [column for column in found if column is not None]
        if len(columns) < len(found) or not all(map(self.form.matches, set(times))):
            return None
        values = list(map(list, zip(*columns, strict=True)))
        return list(map(Row, lines, times, server_ids, values)) if all(map(any, values)) else None

    def _row(self, numbered: tuple[int, list[str]]) -> Row | BadRow:
        line, fields = numbered
        try:
            if len(fields) != len(self._source.header):
                raise ValueError  # noqa: TRY301 - found again, and named, by _problems
            ts, server_id, *texts = [fields[at] for at in self._positions]
            if not self.form.matches(ts):
                raise ValueError  # noqa: TRY301 - likewise
            check_server_id(server_id)
            values = [canonical_value(text) if text else NO_VALUE for text in texts]
            if not any(values):
                raise ValueError  # noqa: TRY301 - likewise
        except ValueError:
            return BadRow(line, fields, self._problems(line, fields))
        return Row(line, ts, server_id, values)

    def _problems(self, line: int, fields: list[str]) -> list[Problem]:
        unit, header = self._source.unit, self._source.header
        if len(fields) != len(header):
            return [Problem(unit, line, None, f"{len(fields)} fields", f"{len(header)}")]
        by_name = dict(zip(header, fields, strict=True))
        problems = []
        if not self.form.matches(by_name["ts"]):
            expected = f"a time {self.form.name}"
            problems.append(Problem(unit, line, "ts", _shown(by_name["ts"]), expected))
        for column in ("server_id", *self.columns):
            try:
                if column == "server_id":
                    check_server_id(by_name[column])
                elif by_name[column]:
                    canonical_value(by_name[column])
            except ValueError as error:
                problems.append(Problem(unit, line, column, _shown(by_name[column]), str(error)))
        if not any(by_name[column] for column in self.columns):
            problems.append(Problem(unit, line, None, "no value", "a value of at least one metric"))
        return problems

    def validate(self) -> Report:
        """Read the whole file, and report what is wrong with it.

        Raises:
            DatasetError: there are no rows at all.

        """
        report = Report(missing=dict.fromkeys(self.columns, 0))
        for row in self.read():
            if isinstance(row, Row):
                report.rows += 1
                if NO_VALUE in row.values:
                    for column, value in zip(self.columns, row.values, strict=True):
                        report.missing[column] += not value
            else:
                report.add(row)
        if not report.rows and not report.bad_rows:
            raise DatasetError(f"{self.path}: a header but no rows; name a file with data")
        return report


def _shown(text: str) -> str:
    return one_line(ascii(text) if not text.isprintable() else repr(text), 60)
