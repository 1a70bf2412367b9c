"""Text cells of the alert CSVs: a spreadsheet that opens them must not run them as formulas.

A cell that begins with one of `= + - @`, a tab or a line end gets a leading `'`, and so does one
that has only such marks before one of them: each cell stands for one text, so that a reader can
take the mark off again. Source of the characters: OWASP, CSV injection.

Only the alert tables and incidents.csv are written so; raw segments, topics and JSON hold the text.
"""

import re

MARK = "'"
_FORMULA = "=+-@\t\r\n"
# Understood alike by Python and by Spark, which writes the tables.
NEEDS_MARK = rf"\A{MARK}*[{re.escape(_FORMULA)}]"
MAY_NEED_MARK = MARK + _FORMULA  # what such a text may begin with
_NEEDS_MARK = re.compile(NEEDS_MARK)


def text_cell(text: str) -> str:
    """Return `text` as a cell holds it."""
    return MARK + text if _NEEDS_MARK.match(text) else text


def text_of(cell: str) -> str:
    """Return the text that `text_cell` made a cell of."""
    return cell[1:] if cell.startswith(MARK) and _NEEDS_MARK.match(cell) else cell
