"""One line of CSV text as its fields, by RFC 4180, but for rows that span lines. Pure."""

import re


class LineError(ValueError):
    """A line that is no row; the text says what was expected.

    Attributes:
        field: how many fields stand before the one at fault; None if it is the whole line.
        found: the text from that field on.

    """

    def __init__(self, field: int | None, found: str, expected: str) -> None:
        """Say where, what was found and what was expected."""
        super().__init__(expected)
        self.field = field
        self.found = found


class Splitter:
    """Splits lines at one separator."""

    def __init__(self, separator: str) -> None:
        """Split at `separator`, one character."""
        self._separator = separator
        not_quoted = rf'[^"{re.escape(separator)}]*+'
        end = rf"(?={re.escape(separator)}|\Z)"
        self._field = re.compile(rf'"((?:[^"]|"")*+)"{end}|({not_quoted}){end}')

    def fields(self, line: str) -> list[str]:
        """Return the fields of a line, which is without its end.

        Raises:
            LineError: a quotation mark stands where RFC 4180 has none.

        """
        if '"' not in line:
            return line.split(self._separator)
        found: list[str] = []
        at = 0
        while field := self._field.match(line, at):
            quoted, plain = field.groups()
            found.append(plain if quoted is None else quoted.replace('""', '"'))
            at = field.end() + 1
            if at > len(line):
                return found
        raise LineError(len(found), line[at:], self._expected(line, at))

    def _expected(self, line: str, at: int) -> str:
        if line[at] != '"':
            return "no quotation mark within a field that does not begin with one"
        if re.compile(r'"(?:[^"]|"")*+"').match(line, at):
            return f"{self._separator!r} behind a closing quotation mark"
        return "a closing quotation mark on this line"
