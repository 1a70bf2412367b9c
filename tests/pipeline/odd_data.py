"""A data set with all that is unusual: names to be quoted, names to be run, disorder, bad rows."""

import csv
import random
from pathlib import Path

from tests.support.reference_tables import CPU_MEM_LABELS, Row, tables

START = "12:01:00"
THRESHOLDS = {"cpu_pct": 50.5, "mem_pct": 60, "net_in": 900.25, "disk_io": 1200.0}
ODD = ["rack 1, left", 'the "old" one', "größe-☃", "plain"]
# Nobody writes there unless something is run.
OWNED = "/tmp/server-monitoring-owned"  # noqa: S108
HOSTILE = [
    "../../../../tmp/server-monitoring-owned",
    f"$(touch {OWNED})",
    f"`touch {OWNED}`",
    f"; touch {OWNED} #",
    f"| touch {OWNED}",
    f"{{{{ lookup('pipe', 'touch {OWNED}') }}}}",
    "{% for x in y %}",
    "'; DROP TABLE alerts; --",
    "<script>attack()</script>",
    "%n%i$HOME",
    "=1+1",
]
LABEL = f"CPU $(touch {OWNED}) `touch {OWNED}` 'quoted' \"twice\" %n; }}}} #"
BAD = ["12:16:40,machine-day3,x,2,3,4", '12:16:40,"machine-day3,1,2,3,4', "nonsense"]


def write(good: Path, mixed: Path) -> int:
    """Write the good rows to one file, these and bad ones to another; return how many are good."""
    rows = _rows()
    with good.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["ts", "server_id", "cpu_pct", "mem_pct", "net_in", "disk_io"])
        writer.writerows(rows)
    bad = "".join(f"{line}\n" for line in BAD)
    mixed.write_text(good.read_text(encoding="utf-8") + bad, encoding="utf-8")
    return len(rows)


def _rows() -> list[list[object]]:
    """Return rows in disorder, with a second one for the same time and server."""
    random_ = random.Random(47)
    rows: list[list[object]] = []
    for server in ODD:
        for second in range(0, 600, 10):
            values = [random_.uniform(0, most) for most in (100, 100, 1e3, 2e3)]
            rows.append([f"12:{second // 60:02d}:{second % 60:02d}", server, *values])
        rows.append(["12:00:00", server, 99, 99, 99, 99])
    for second in range(0, 60, 10):
        rows += [[f"12:02:{second:02}", server, 99, 99, 99, 99] for server in HOSTILE]
    # Of two rows with one time and server the first in the file counts.
    random_.shuffle(rows)
    return rows


def expected(good: Path) -> tuple[list[Row], list[Row]]:
    """Return the rows of both tables, with `LABEL` for both of CPU and memory."""
    cpu_mem, net_disk = tables(good, THRESHOLDS, START)
    labels = {CPU_MEM_LABELS[0]: LABEL}
    cpu_mem = [[*row[:5], labels.get(row[5], row[5])] for row in cpu_mem]
    return _shown(cpu_mem), _shown(net_disk)


def _shown(rows: list[Row]) -> list[Row]:
    """Mark the names that a spreadsheet would take for a formula; a server's rows stay in order."""
    marked = [[f"'{row[0]}" if row[0][0] in "=+-@" else row[0], *row[1:]] for row in rows]
    return sorted(marked, key=lambda row: row[0].encode())
