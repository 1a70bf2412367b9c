"""Rows of a data set, good and bad ones, and the report of a pass over all of them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from server_monitoring.errors import DatasetError, counted

SHOWN_PROBLEMS = 20
NO_VALUE = ""


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
    """A row that cannot be used, as the text that it has as a line of CSV."""

    line: int
    text: str
    problems: list[Problem]


class EmptyRow(NamedTuple):
    """A line with nothing on it but separators."""

    line: int


@dataclass
class Report:
    """What a pass over the whole file found.

    Attributes:
        lines: of a CSV file, its header included; of a Parquet file its rows.
        rows: good rows.
        empty: lines with nothing on them but separators.
        missing: by column, the good rows without a value in it.
        bad_rows, problems: rows that cannot be used, and what is wrong with them.
        shown: the first of the problems.

    """

    lines: int = 0
    rows: int = 0
    empty: int = 0
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
        """Return what was read as a phrase."""
        parts = [counted(self.rows, "good row"), counted(self.bad_rows, "bad row")]
        if self.empty:
            parts.append(f"{counted(self.empty, 'empty line')} skipped")
        return f"{counted(self.lines, 'line')}: {', '.join(parts)}"

    def refusal(self, path: Path, advice: str) -> DatasetError:
        """Return the error for bad rows: the first one, after a line for each of several.

        Args:
            path: of the file.
            advice: what to do.

        """
        first, *others = self.shown
        lines = [f"{path}: {problem}" for problem in self.shown] if others else []
        if rest := self.problems - len(self.shown):
            lines.append(f"{path}: and {counted(rest, 'problem')} more")
        more = f"; and {counted(self.problems - 1, 'problem')} more" if others else ""
        what = counted(self.bad_rows, "bad row") if self.rows else "no good row"
        found = f"{what} in {counted(self.lines, 'line')}, nothing was sent"
        return DatasetError(f"{path}: {found}: {first}{more}; {advice}", lines)
