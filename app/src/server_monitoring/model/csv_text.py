"""CSV text: fields, lines, and cells that a spreadsheet must not run as formulas.

A cell of an alert table that begins with one of `= + - @`, a tab or a line end gets a leading `'`,
and so does one with nothing but such marks before one of them: each cell stands for one text, so
a reader can take the mark off again. Source of the characters: OWASP, CSV injection.

Only the alert tables and incidents.csv are marked so; raw segments, topics and JSON hold the text.
"""

import csv
import io
import re
from collections.abc import Iterable
from functools import lru_cache

# Replaces a line end inside a server id, so that each line of a part is a row of the table. No
# server id contains it: see `values.check_server_id`.
LINE_END_STAND_IN = "\0"
_SPECIAL = frozenset(',"\r\n')
# In tables also what other programs take for the end of a field.
TABLE_SPECIAL = ',"\r\n;\t'
_TABLE_SPECIAL = frozenset(TABLE_SPECIAL)
MARK = "'"
_FORMULA = "=+-@\t\r\n"
# Understood alike by Python and by Spark, which writes the tables.
NEEDS_MARK = rf"\A{MARK}*[{re.escape(_FORMULA)}]"
MAY_NEED_MARK = MARK + _FORMULA  # what such a text may begin with
_NEEDS_MARK = re.compile(NEEDS_MARK)


def text_cell(text: str) -> str:
    """Return `text` as the cell that stands for it."""
    return MARK + text if _NEEDS_MARK.match(text) else text


def unmarked(cell: str) -> str:
    """Return a cell's text, without the mark that `text_cell` put in front."""
    return cell[1:] if cell.startswith(MARK) and _NEEDS_MARK.match(cell) else cell


@lru_cache(maxsize=100_000)
def csv_field(text: str) -> str:
    """Return `text` as one CSV field, quoted where it has to be (RFC 4180)."""
    if _SPECIAL.isdisjoint(text):
        return text
    return _quoted(text)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@lru_cache(maxsize=100_000)
def table_field(text: str) -> str:
    """Return `text` as one field of a table, quoted also where a `;` or a tab is in it."""
    return text if _TABLE_SPECIAL.isdisjoint(text) else _quoted(text)


def table_row(fields: Iterable[str]) -> str:
    """Return fields as one line of a table."""
    return ",".join(map(table_field, fields)) + "\n"


def csv_row(fields: Iterable[object]) -> str:
    """Return any fields as one CSV line."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(fields)
    return line.getvalue()
