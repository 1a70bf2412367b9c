"""Detection once more, slowly: by fractions, from all rows at once, without a restart."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction

from server_monitoring.detect.rows import Row
from server_monitoring.detect.rules import Rules

UNITS = 10**18
Judged = tuple[str, int, tuple[Fraction, Fraction], str]


def windows(rules: Rules, topics: Sequence[Iterable[Row]]) -> list[Judged]:
    """Return each closed window: server, start, its two numbers and its label; sorted."""
    taken, passed = zip(*(_taken(rules, rows) for rows in topics), strict=True)
    size, slide = rules.windows.window, rules.windows.slide
    found: list[Judged] = []
    for server_id in set(taken[0]) & set(taken[1]):
        first, second = taken[0][server_id], taken[1][server_id]
        seconds = set(first) | set(second)
        end = min(passed[0][server_id], passed[1][server_id])
        for start in range((min(seconds) // slide - size) * slide, max(seconds) + 1, slide):
            within = [s for s in range(start, start + size) if s in seconds]
            if rules.rows_meet:
                within = [s for s in within if s in first and s in second]
            values = [[rows[s] for s in within if s in rows] for rows in (first, second)]
            if start + size <= end and all(values):
                numbers = (_number(rules, values[0]), _number(rules, values[1]))
                found.append((server_id, start, numbers, _label(rules, numbers)))
    return sorted(found)


def _taken(
    rules: Rules, rows: Iterable[Row]
) -> tuple[dict[str, dict[int, Fraction]], dict[str, int]]:
    """Return the values that count by server and second, and what their watermarks passed."""
    size, slide, live = rules.windows.window, rules.windows.slide, rules.live
    taken: dict[str, dict[int, Fraction]] = defaultdict(dict)
    passed: dict[str, int] = defaultdict(lambda: -(10**9))
    for row in rows:
        too_new = row.second > row.arrived + live.future_seconds
        too_old = row.second < row.arrived - 3600 * live.late_hours
        if too_new or too_old or row.second < passed[row.server_id]:
            continue
        taken[row.server_id].setdefault(row.second, Fraction(row.value) / UNITS)
        watermark = max(taken[row.server_id]) + 1 - live.lateness_seconds
        ends = [end for end in range(watermark - slide, watermark + 1) if (end - size) % slide == 0]
        passed[row.server_id] = max(passed[row.server_id], *ends)
    return taken, passed


def _number(rules: Rules, values: list[Fraction]) -> Fraction:
    if rules.group.aggregate == "maximum":
        return max(values)
    mean = sum(values, Fraction(0)) / len(values)
    rounded = Fraction((abs(mean) * 100 + Fraction(1, 2)).__floor__(), 100)
    return -rounded if mean < 0 else rounded


def _label(rules: Rules, numbers: tuple[Fraction, Fraction]) -> str:
    limits = [Fraction(rules.thresholds[metric.column]) for metric in rules.group.metrics]
    first, second = (n > limit for n, limit in zip(numbers, limits, strict=True))
    labels = rules.group.labels
    return {(1, 1): labels.both, (1, 0): labels.first, (0, 1): labels.second}.get(
        (first, second), ""
    )


def transitions(rules: Rules, judged: Sequence[Judged]) -> list[tuple[str, str, str, int, int]]:
    """Return each transition: server, label, state, since and at; sorted.

    An alert fires with the last of `for` windows in a row, and is over with the last of `clear`.
    """
    found = []
    for server_id in {j[0] for j in judged}:
        own = [(start, label) for server, start, _, label in judged if server == server_id]
        for label in {label for _, label in own if label}:
            firing, since = False, 0
            has = [of == label for _, of in own]
            for at, (start, _) in enumerate(own):
                end = start + rules.windows.window
                if not firing and _streak(has, at, rules.live.for_windows, value=True):
                    firing, since = True, own[at - rules.live.for_windows + 1][0]
                    found.append((server_id, label, "firing", since, end))
                elif firing and _streak(has, at, rules.live.clear_windows, value=False):
                    firing = False
                    found.append((server_id, label, "resolved", since, end))
    return sorted(found)


def _streak(has: list[bool], at: int, length: int, *, value: bool) -> bool:
    return at + 1 >= length and all(has[at - back] is value for back in range(length))
