"""Reading an alert table server by server, in bounded memory, checked against its manifest."""

import csv
import hashlib
import math
from array import array
from collections.abc import Iterator
from itertools import groupby, islice
from operator import ge, itemgetter
from pathlib import Path
from typing import NamedTuple

from server_monitoring.errors import ResultsError, one_line
from server_monitoring.model.csv_text import text_cell, unmarked
from server_monitoring.model.incidents import AlertWindow, Incident, Merger
from server_monitoring.model.timestamps import TimeForm
from server_monitoring.results.manifest import GroupResult, Manifest
from server_monitoring.results.series import Series

# Rows of one server that are processed together.
CHUNK = 20_000
Rows = list[list[str]]


class ServerTable(NamedTuple):
    """One server's rows of one group's table."""

    server: str
    series: Series
    incidents: list[Incident]


class _Seconds(dict[str, int]):
    """Timestamps already parsed: every server has the same ones."""

    def __init__(self, form: TimeForm) -> None:
        super().__init__()
        self._form = form

    def __missing__(self, text: str) -> int:
        if not self._form.matches(text):
            raise ValueError(text)
        second = self[text] = self._form.to_seconds(text)
        return second


class TableReader:
    """An alert table; once `servers` has been read to its end, it is known to fit its manifest."""

    def __init__(self, folder: Path, manifest: Manifest, group: GroupResult) -> None:
        """Name the table of a group in a results folder."""
        self.path = folder / group.file
        self._manifest = manifest
        self._group = group
        self._seconds = _Seconds(manifest.time_form())
        self._labels = {text_cell(label): label for label in group.alerts}
        self._places = {cell: 1 + place for place, cell in enumerate(self._labels)}
        self._rows = 0
        self._counts = dict.fromkeys(group.alerts, 0)

    def servers(self) -> Iterator[ServerTable]:
        """Yield the servers in the table's order.

        Raises:
            ResultsError: the table is missing, is not the one that the manifest names, or
                contains what no table contains.

        """
        try:
            self._check_sum()
            with self.path.open(encoding="utf-8", newline="") as lines:
                yield from self._read(csv.reader(lines, strict=True))
        except FileNotFoundError as error:
            raise ResultsError(
                f"{self.path}: missing, though {self._manifest.path.name} names it; copy the whole "
                "results folder"
            ) from error
        except OSError as error:
            raise ResultsError(f"{self.path}: {error.strerror}; make it readable") from error
        except (csv.Error, UnicodeDecodeError, IndexError) as error:
            where = f"after row {self._rows}"
            raise self._fail(f"{where}: not CSV in UTF-8, or an empty line ({error})") from error
        self._check_counts()

    def _fail(self, what: str) -> ResultsError:
        return ResultsError(f"{self.path}: {what}; copy the results folder again, or run again")

    def _check_sum(self) -> None:
        with self.path.open("rb") as table:
            found = hashlib.file_digest(table, "sha256").hexdigest()
        if found != self._group.sha256:
            raise self._fail(
                f"sha256 {found[:12]}... found, expected {self._group.sha256[:12]}... as in "
                f"{self._manifest.path.name}: incomplete, or edited"
            )

    def _check_counts(self) -> None:
        found, expected = (self._rows, self._counts), (self._group.windows, self._group.alerts)
        if found != expected:
            raise self._fail(f"windows and alerts {found} found, expected {expected}")

    def _read(self, reader: Iterator[list[str]]) -> Iterator[ServerTable]:
        header = next(reader, [])
        if header != self._group.header():
            raise self._fail(f"columns {header} found, expected {self._group.header()}")
        seen: set[str] = set()
        for server, rows in groupby(reader, key=itemgetter(slice(0, 1))):
            name = unmarked(server[0]) if server else ""
            if not name or name in seen:
                raise self._fail(
                    f"row {self._rows + 1}: server_id {name!r} is empty or comes twice"
                )
            seen.add(name)
            yield self._server(name, rows)

    def _server(self, server: str, rows: Iterator[list[str]]) -> ServerTable:
        group, window = self._group, self._manifest.window_seconds
        series = Series.empty(len(group.metrics))
        merger = Merger(server, group.name, group.metrics, window)
        while chunk := list(islice(rows, CHUNK)):
            try:
                self._take(chunk, series, merger)
            except (ValueError, KeyError) as error:
                raise self._fail(self._explain(chunk, error)) from error
            self._rows += len(chunk)
        return ServerTable(server, series, merger.close())

    def _take(self, chunk: Rows, series: Series, merger: Merger) -> None:
        _, start_texts, _, *value_texts, labels = zip(*chunk, strict=True)
        if len(value_texts) != len(series.values):
            raise ValueError(len(value_texts))
        seconds, before = self._seconds, len(series)
        starts = array("q", [seconds[text] for text in start_texts])
        columns = [array("d", map(float, texts)) for texts in value_texts]
        # The sum, at once, tells of nearly all columns that their values are finite.
        if not all(math.isfinite(sum(c)) or all(map(math.isfinite, c)) for c in columns):
            raise ValueError("a value is not finite")
        in_order = series.starts[-1:] + starts
        if any(map(ge, in_order, in_order[1:])):
            raise ValueError("a server's windows are not in order of time")
        series.starts.extend(starts)
        for kept, column in zip(series.values, columns, strict=True):
            kept.extend(column)
        places = self._places
        series.labels.extend([places[cell] if cell else 0 for cell in labels])
        series.note_gaps(before, self._manifest.window_seconds)
        for i, cell in enumerate(labels):
            if cell:
                label = self._labels[cell]
                self._counts[label] += 1
                values = tuple(column[i] for column in columns)
                texts = tuple(column[i] for column in value_texts)
                merger.add(AlertWindow(starts[i], label, values, texts))

    def _explain(self, chunk: Rows, error: Exception) -> str:
        """Return what is wrong in a chunk: the first row that fails on its own."""
        group = self._group
        for number, row in enumerate(chunk, start=self._rows + 1):
            series = Series.empty(len(group.metrics))
            merger = Merger("", group.name, group.metrics, self._manifest.window_seconds)
            try:
                self._take([row], series, merger)
            except (ValueError, KeyError):
                expected = f"{', '.join(group.header())} as the manifest has them"
                return f"row {number}: found {one_line(row, 120)}, expected {expected}"
        return f"rows from {self._rows + 1} on: {one_line(error)}, expected each server by time"
