"""The alert tables by plain arithmetic, from the data set alone: shares no code with the app.

Slow and simple on purpose: every value is a fraction, every window a dictionary entry.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path

WINDOW, SLIDE, DAY = 30, 10, 86_400
CPU_MEM_LABELS = ("High CPU + Memory stress", "CPU spike suspected", "Memory saturation suspected")
NET_DISK_LABELS = (
    "Network flood + Disk thrash suspected",
    "Possible DDoS",
    "Disk thrash suspected",
)
Row = list[str]
Key = tuple[str, int]


def tables(
    dataset: Path, thresholds: Mapping[str, object], start: str = "20:52:00"
) -> tuple[list[Row], list[Row]]:
    """Return the rows of the tables cpu_mem and net_disk, without their headers.

    Args:
        dataset: CSV file with ts, server_id, cpu_pct, mem_pct, net_in, disk_io.
        thresholds: limit of each of the four columns (number or text).
        start: first window_start to show.

    """
    with dataset.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    limits = {column: Fraction(str(limit)) for column, limit in thresholds.items()}
    first = _seconds(start)
    return (
        _averages(rows, limits, first),
        _maxima(rows, limits, first),
    )


def half_up(value: Fraction) -> Fraction:
    """Round to hundredths, ties away from zero."""
    hundredths = abs(value) * 100 + Fraction(1, 2)
    rounded = Fraction(hundredths.numerator // hundredths.denominator, 100)
    return -rounded if value < 0 else rounded


def two_places(value: Fraction) -> str:
    """Write a number of hundredths with two places."""
    hundredths = value * 100
    whole, rest = divmod(abs(hundredths.numerator), 100)
    return f"{'-' if value < 0 else ''}{whole}.{rest:02d}"


def _averages(rows: Iterable[dict[str, str]], limits: dict[str, Fraction], first: int) -> list[Row]:
    windows: dict[Key, tuple[list[Fraction], list[Fraction]]] = defaultdict(lambda: ([], []))
    for row in _without_duplicates(rows):
        for window in _windows(row):
            for place, column in enumerate(("cpu_pct", "mem_pct")):
                windows[window][place].append(Fraction(repr(float(row[column]))))
    table = []
    for (server, second), values in sorted(windows.items()):
        means = [half_up(sum(v, Fraction(0)) / len(v)) for v in values]
        above = (means[0] > limits["cpu_pct"], means[1] > limits["mem_pct"])
        texts = [two_places(mean) for mean in means]
        table.append([server, *_ends(second), *texts, _label(above, CPU_MEM_LABELS)])
    return [row for row in table if _seconds(row[1]) >= first]


def _maxima(rows: Iterable[dict[str, str]], limits: dict[str, Fraction], first: int) -> list[Row]:
    windows: dict[Key, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for row in _without_duplicates(rows):
        for window in _windows(row):
            for place, column in enumerate(("net_in", "disk_io")):
                windows[window][place].append(row[column])
    table = []
    for (server, second), values in sorted(windows.items()):
        peaks = [max(v, key=Fraction) for v in values]
        above = (Fraction(peaks[0]) > limits["net_in"], Fraction(peaks[1]) > limits["disk_io"])
        texts = [repr(float(peak) + 0.0) for peak in peaks]
        table.append([server, *_ends(second), *texts, _label(above, NET_DISK_LABELS)])
    return [row for row in table if _seconds(row[1]) >= first]


def _without_duplicates(rows: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    kept: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        kept.setdefault((row["ts"], row["server_id"]), row)
    return list(kept.values())


def _windows(row: dict[str, str]) -> list[Key]:
    second = _seconds(row["ts"])
    starts = (
        [s for s in range(0, DAY, SLIDE) if s <= second < s + WINDOW]
        if second < WINDOW
        else [second - second % SLIDE - back for back in (20, 10, 0)]
    )
    return [(row["server_id"], start) for start in starts]


def _ends(start: int) -> tuple[str, str]:
    return _clock(start), _clock((start + WINDOW) % DAY)


def _label(above: tuple[bool, bool], labels: tuple[str, str, str]) -> str:
    return {(True, True): labels[0], (True, False): labels[1], (False, True): labels[2]}.get(
        above, ""
    )


def _seconds(clock: str) -> int:
    hours, minutes, seconds = clock.split(":")
    return (int(hours) * 60 + int(minutes)) * 60 + int(seconds)


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second % 3600 // 60:02d}:{second % 60:02d}"
