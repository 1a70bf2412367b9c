"""The header of a CSV file: the first line names the columns, or it is said what it is instead."""

import re
from collections.abc import Sequence

from server_monitoring.errors import one_line, shown
from server_monitoring.model.layout import SEPARATORS
from server_monitoring.model.timestamps import canonical_time

_DATA = re.compile(r"[+-]?[0-9][0-9.,eE+-]*")


def problem(header: Sequence[str], wanted: Sequence[str], line: str) -> str | None:
    """Return what is wrong with a header, or None if each wanted column is in it once.

    Args:
        header: the names found, by the separator that the settings say.
        wanted: the columns that are needed.
        line: the whole first line; empty where there is none, as in Parquet.

    """
    wrong = [column for column in wanted if header.count(column) != 1]
    if not wrong:
        return None
    found = one_line(", ".join(map(shown, header)), 160) if any(header) else "an empty line"
    times = "twice" if wrong[0] in header else "not there"
    return (
        f"column {wrong[0]} is {times}: found {found}, expected each of {', '.join(wanted)} once"
        f"{_hint(header, wrong, line)}"
    )


def _hint(header: Sequence[str], wrong: Sequence[str], line: str) -> str:
    """Return what the first line seems to be, and what to do, where that can be said."""
    for name, separator in SEPARATORS.items():
        split = [field.strip().strip('"') for field in line.split(separator)]
        if len(split) > len(header) and set(wrong) <= set(split):
            return (
                f"; its columns are separated by {name!r}: set pipeline_csv_separator to {name!r}, "
                "and pipeline_decimal_comma to true if its numbers have decimal commas"
            )
    names = [name.strip() for name in header]
    hints = {
        "remove the blanks around the names": set(wrong) <= set(names),
        "write the names in lower case": set(wrong) <= {name.lower() for name in names},
        "remove Excel's line about the separator": line.startswith("sep="),
        "this looks like HTML or XML": line.lstrip().startswith("<"),
        "this looks like JSON": line.lstrip().startswith(("{", "[")),
        "this looks like a row: the first line must name the columns": any(map(_is_data, header)),
    }
    return next((f"; {hint}" for hint, fits in hints.items() if fits), "")


def _is_data(field: str) -> bool:
    try:
        return bool(_DATA.fullmatch(field) or canonical_time(field))
    except ValueError:
        return False
