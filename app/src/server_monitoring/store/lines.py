"""The rows of a raw segment, good or corrupt, line by line. Pure Python: no Spark.

A good row is `ts,server_id,value` as a consumer writes it: a time of the run's form, an id
quoted by RFC 4180 where it has to be, a decimal number. Any other line is corrupt. One pattern
decides, here and in Spark.

A quoted id may contain line ends, so a row may span lines. After a corrupt line reading resumes at
the next one: an unclosed quote costs its own line, not the rest of the file.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from server_monitoring.model.csv_text import LINE_END_STAND_IN
from server_monitoring.model.timestamps import TimeForm, form_of
from server_monitoring.model.values import (
    POSITIONAL_PATTERN,
    WIDE_MARKS,
    WIDE_PATTERN,
    check_record_id,
)

VALUE_PATTERN = f"(?:{POSITIONAL_PATTERN}|{WIDE_PATTERN})"
_PLAIN_ID = r'[^",\r\n\x00]+'
# The longest row that is sought across lines: by default, no record of a broker is larger.
_LONGEST = 1 << 20
_CHUNK = 1 << 20
_LONGEST_TIME = 40


class Line(NamedTuple):
    """A row, or a corrupt line.

    Attributes:
        number: of its first line; the header's is 1.
        content: without its last line end.
        good: whether it is a row.

    """

    number: int
    content: bytes
    good: bool


def row_pattern(form: TimeForm, in_quotes: str = r'[^"\n]', value: str = VALUE_PATTERN) -> str:
    """Return the pattern, for Java and Python alike, that a whole row matches.

    It accepts dates that do not exist, such as 02-30. `in_quotes` is what a quoted id may contain;
    by default no line end, so that each row is on one line: see `one_line_each`. The match of what
    is quoted is possessive (`++`): Java backtracks by recursion, and a long id would overflow its
    stack. `value` is the pattern of its value.
    """
    return rf'(?:{form.pattern}),(?:{_PLAIN_ID}|"(?:{in_quotes}|"")++"),{value}'


def lines(path: Path, form: TimeForm) -> Iterator[Line]:
    """Yield the rows and corrupt lines of a segment, its header left out.

    Raises:
        OSError: the file cannot be read.

    """
    row = re.compile(row_pattern(form, r'[^"\x00]').encode())
    opening = re.compile(rf'(?:{form.pattern}),"'.encode())
    with path.open("rb") as file:
        file.readline()
        number = 2
        waiting: list[bytes] = []  # lines to be read again, the first one last
        while line := waiting.pop() if waiting else file.readline():
            taken = 1
            if line.count(b'"') % 2 and opening.match(line):
                following = _to_closing_quote(line, file, waiting)
                joined = line + b"".join(following)
                if _is_row(joined, row, form):
                    line, taken = joined, 1 + len(following)
                else:
                    waiting += reversed(following)
            yield Line(number, line.removesuffix(b"\n"), _is_row(line, row, form))
            number += taken


def _to_closing_quote(line: bytes, file: BinaryIO, waiting: list[bytes]) -> list[bytes]:
    """Take the lines after `line` up to the one that closes its quote, or up to the limit."""
    following: list[bytes] = []
    length = len(line)
    while length < _LONGEST and (more := waiting.pop() if waiting else file.readline()):
        following.append(more)
        length += len(more)
        if more.count(b'"') % 2:
            break
    return following


def _is_row(line: bytes, row: re.Pattern[bytes], form: TimeForm) -> bool:
    content = line.removesuffix(b"\n")
    if row.fullmatch(content) is None:
        return False
    try:
        return form.matches(content.decode().partition(",")[0])
    except UnicodeDecodeError:
        return False


def reason(content: bytes, form: TimeForm) -> str:
    """Return why a corrupt line is not a row."""
    try:
        fields = next(csv.reader([content.decode()], strict=True), [])
    except UnicodeDecodeError:
        return "not UTF-8"
    except csv.Error as error:
        return str(error)
    if len(fields) != len(("ts", "server_id", "value")):
        return f"found {len(fields)} fields, expected 3"
    return _wrong_field(fields, form) or "not quoted as a consumer does it"


def _wrong_field(fields: list[str], form: TimeForm) -> str | None:
    ts, server_id, value = fields
    if not form.matches(ts):
        return f"ts: expected a time {form.name}"
    try:
        check_record_id(server_id)
    except ValueError as error:
        return f"server_id: expected {error}"
    if re.fullmatch(VALUE_PATTERN, value) is None:
        return "value: expected a number as a consumer writes it, such as 12.5 or 5E-324"
    return None


def first_form(paths: Iterable[Path]) -> TimeForm | None:
    """Return the form of the first time in segments, or None if there is none.

    Raises:
        OSError: a file cannot be read.

    """
    for path in paths:
        with path.open("rb") as file:
            file.readline()
            for line in file:
                if form := form_of(
                    line[:_LONGEST_TIME].partition(b",")[0].decode(errors="replace")
                ):
                    return form
    return None


def has_quotes(path: Path) -> bool:
    """Return whether a segment contains a quote: only then can a row span lines.

    Raises:
        OSError: the file cannot be read.

    """
    return _has(path, (b'"',))


def may_have_wide_values(path: Path) -> bool:
    """Return whether a segment may hold wide values (see `values`); False if it holds none.

    Raises:
        OSError: the file cannot be read.

    """
    return _has(path, [mark.encode() for mark in WIDE_MARKS])


def _has(path: Path, marks: Sequence[bytes]) -> bool:
    """Return whether one of the marks stands in a file; each has at most two bytes."""
    last = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if any(mark in chunk or mark in last + chunk[:1] for mark in marks):
                return True
            last = chunk[-1:]
    return False


def one_line_each(path: Path, copy: Path, form: TimeForm) -> None:
    """Copy a segment so that each row is on one line; a corrupt one becomes an empty line.

    A line end inside a server id is written as `csv_text.LINE_END_STAND_IN`.

    Raises:
        OSError: the file cannot be read, or the copy not be written.

    """
    stand_in = LINE_END_STAND_IN.encode()
    with path.open("rb") as file, copy.open("wb") as out:
        out.write(file.readline())
        for line in lines(path, form):
            out.write((line.content.replace(b"\n", stand_in) if line.good else b"") + b"\n")
