"""The data set: a CSV file with ts, server_id and one column a metric.

Guarantee: rows are read one at a time, in the file's order, in bounded memory; every row is
either yielded whole and canonical, or reported as bad with its line and column.
"""

import csv
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from server_monitoring.errors import DatasetError, one_line
from server_monitoring.records import canonical_value, check_server_id
from server_monitoring.timestamps import expected_forms, form_of

if TYPE_CHECKING:
    import _csv

SHOWN_PROBLEMS = 20
_CHUNK = 1 << 20
_MAX_FIELD = 1 << 20


class Row(NamedTuple):
    """A good row: its line (the first is 1), and the canonical values in the asked order."""

    line: int
    ts: str
    server_id: str
    values: list[str]


class Problem(NamedTuple):
    """What is wrong with one field (or, with column None, with a whole row)."""

    line: int
    column: str | None
    found: str
    expected: str

    def __str__(self) -> str:
        """Return the problem as a phrase."""
        where = f"line {self.line}" + (f", column {self.column}" if self.column else "")
        return f"{where}: found {self.found}, expected {self.expected}"


class BadRow(NamedTuple):
    """A row that cannot be used."""

    line: int
    fields: list[str]
    problems: list[Problem]


@dataclass
class Report:
    """What a validation pass over the whole file found."""

    rows: int = 0
    bad_rows: int = 0
    problems: int = 0
    shown: list[Problem] = field(default_factory=list)

    def add(self, bad: BadRow) -> None:
        """Count a bad row, keeping its problems while there are few."""
        self.bad_rows += 1
        self.problems += len(bad.problems)
        self.shown += bad.problems[: SHOWN_PROBLEMS - len(self.shown)]

    def text(self) -> str:
        """Return the problems on one line."""
        rest = self.problems - len(self.shown)
        more = f"; and {rest} more" if rest else ""
        return "; ".join(str(problem) for problem in self.shown) + more


class Dataset:
    """An open data set of which the columns `ts`, `server_id` and `columns` are read."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        """Open the file and find the columns in its header.

        Raises:
            DatasetError: missing, unreadable or empty file, or a missing column.

        """
        self.path = path
        self.columns = tuple(columns)
        try:
            # Unbuffered: the readers below share this descriptor's position.
            self._file = path.open("rb", buffering=0)
        except OSError as error:
            raise DatasetError(f"{path}: {error.strerror}; name an existing CSV file") from error
        try:
            self.header = self._read_header()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        """Return the open data set."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def _reader(self) -> "_csv.Reader":
        self._file.seek(0)
        csv.field_size_limit(_MAX_FIELD)
        # surrogateescape: a byte that is not UTF-8 makes its row bad instead of ending the pass.
        text = open(  # noqa: SIM115 - closed with the file, whose position it shares
            self._file.fileno(),
            encoding="utf-8-sig",
            errors="surrogateescape",
            newline="",
            closefd=False,
        )
        return csv.reader(text, strict=True)

    def _read_header(self) -> list[str]:
        try:
            header = next(self._reader(), None)
        except OSError as error:
            raise DatasetError(f"{self.path}: {error.strerror}; name a CSV file") from error
        except csv.Error as error:
            raise DatasetError(f"{self.path}: line 1: {error}, expected a CSV header") from error
        wanted = ("ts", "server_id", *self.columns)
        if header is None:
            raise DatasetError(
                f"{self.path}: empty file, expected a header with {', '.join(wanted)}"
            )
        for column in wanted:
            if header.count(column) != 1:
                found = one_line(",".join(header), 120) or "an empty line"
                times = "twice" if column in header else "not there"
                raise DatasetError(
                    f"{self.path}: line 1: column {column} is {times}: found {found}, "
                    f"expected each of {', '.join(wanted)} once"
                )
        return header

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
        """Yield every row after the header, in order.

        Raises:
            DatasetError: the file stopped being readable, or has a field without end.

        """
        reader = self._reader()
        positions = [self.header.index(c) for c in ("ts", "server_id", *self.columns)]
        ts_at, id_at, value_at = positions[0], positions[1], positions[2:]
        width = len(self.header)
        line = 1
        try:
            next(reader, None)
            line = reader.line_num + 1
            for fields in reader:
                try:
                    if len(fields) != width or form_of(fields[ts_at]) is None:
                        raise ValueError  # noqa: TRY301 - found again, and named, by _problems
                    check_server_id(fields[id_at])
                    values = [canonical_value(fields[at]) for at in value_at]
                except ValueError:
                    yield BadRow(line, fields, self._problems(line, fields))
                else:
                    yield Row(line, fields[ts_at], fields[id_at], values)
                line = reader.line_num + 1
        except (OSError, csv.Error) as error:
            raise DatasetError(
                f"{self.path}: line {line}: {one_line(error)}; mend the file"
            ) from error

    def _problems(self, line: int, fields: list[str]) -> list[Problem]:
        if len(fields) != len(self.header):
            return [Problem(line, None, f"{len(fields)} fields", f"{len(self.header)}")]
        by_name = dict(zip(self.header, fields, strict=True))
        problems = []
        if form_of(by_name["ts"]) is None:
            expected = f"a time {expected_forms()}"
            problems.append(Problem(line, "ts", _shown(by_name["ts"]), expected))
        for column in ("server_id", *self.columns):
            try:
                check = check_server_id if column == "server_id" else canonical_value
                check(by_name[column])
            except ValueError as error:
                problems.append(Problem(line, column, _shown(by_name[column]), str(error)))
        return problems

    def validate(self) -> Report:
        """Read the whole file and report what is wrong with it.

        Raises:
            DatasetError: there are no rows at all.

        """
        report = Report()
        for row in self.read():
            if isinstance(row, Row):
                report.rows += 1
            else:
                report.add(row)
        if not report.rows and not report.bad_rows:
            raise DatasetError(f"{self.path}: a header but no rows; name a file with data")
        return report


def _shown(text: str) -> str:
    return one_line(ascii(text) if not text.isprintable() else repr(text), 60)
