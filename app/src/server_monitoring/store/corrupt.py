"""Corrupt lines of a run's raw segments, set aside in `corrupt-<group>.csv`."""

from collections.abc import Sequence
from pathlib import Path

from server_monitoring.host.durable import replace_file
from server_monitoring.model.csv_text import csv_field
from server_monitoring.model.timestamps import TimeForm
from server_monitoring.store import lines
from server_monitoring.store.raw import Topic

HEADER = ("file", "line", "reason", "content")


def set_aside(topics: Sequence[Topic], path: Path, form: TimeForm) -> dict[str, int]:
    """Write the corrupt lines of all segments to `path`; return how many each topic has.

    Columns: file (below the run's raw data), line (of it), reason, content (its bytes as found).
    Guarantee: that of `durable.replace_file`.

    Raises:
        StorageError: a segment cannot be read, or the file cannot be written.

    """
    counts = dict.fromkeys((topic.metric.topic for topic in topics), 0)

    def fill(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8", errors="surrogateescape", newline="") as out:
            out.write(_csv_line(HEADER))
            for topic in topics:
                for segment in topic.files:
                    name = f"{segment.parent.name}/{segment.name}"
                    for line in lines.lines(segment, form):
                        if not line.good:
                            why = lines.reason(line.content, form)
                            content = line.content.decode(errors="surrogateescape")
                            out.write(_csv_line((name, str(line.number), why, content)))
                            counts[topic.metric.topic] += 1

    replace_file(path, fill)
    return counts


def _csv_line(fields: Sequence[str]) -> str:
    return ",".join(map(csv_field, fields)) + "\n"
