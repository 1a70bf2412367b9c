"""Any finite double is a value: averages and maxima are exact over all sizes of a double."""

import csv
import math
import random
import struct
from collections import defaultdict
from fractions import Fraction

import pytest
from server_monitoring.analysis import plan
from server_monitoring.model.values import canonical_double, is_wide

from tests.spark.spark_lab import Lab
from tests.support.reference_tables import half_up, two_places

CPU, MEM, NET, DISK = "topic-cpu", "topic-mem", "topic-net", "topic-disk"
LARGEST, SMALLEST = 1.7976931348623157e308, 5e-324


def any_double(rng: random.Random) -> float:
    """Return a finite double: of any bits, of the usual sizes, or at an edge."""
    bits: float = struct.unpack("<d", rng.randbytes(8))[0]
    found = rng.choice(
        [
            bits,
            rng.uniform(-100, 100),
            rng.uniform(-1, 1) * 10.0 ** rng.randrange(-25, 25),
            rng.choice([LARGEST, SMALLEST, 1e12, 999999999999.9999, 1e-18, 0.0, 1e16, 1e15, -1e-4]),
        ]
    )
    return found if math.isfinite(found) else 0.0


def tie(rng: random.Random) -> list[float]:
    """Return values whose average lies half-way between hundredths, or as close as can be.

    From 10^12 on they are wide, and a number of eighths is still a double.
    """
    whole = rng.choice([-1, 1]) * rng.randrange(10 ** rng.randrange(3, 15))
    beside = rng.choice([SMALLEST, -SMALLEST, 1e-300, -1e-19])
    return rng.choice([[whole + 0.125], [whole + 0.125] * 3, [2 * whole + 0.25, beside]])


def check(lab: Lab, columns: tuple[list[list[float]], list[list[float]]], group: str) -> int:
    """Store a server for each window's values, analyze, and compare with fractions.

    Returns:
        How many windows had a wide value.

    """
    lab.values |= {"window_seconds": 30, "slide_seconds": 30}
    topics = (CPU, MEM) if group == "cpu_mem" else (NET, DISK)
    for topic, windows in zip(topics, columns, strict=True):
        readings = [
            (f"00:00:{place:02d}", f"s{number:05d}", repr(value))
            for number, window in enumerate(windows)
            for place, value in enumerate(window)
        ]
        lab.store(topic, readings)
    found = defaultdict(list)
    with lab.analyze(group).path.open(encoding="utf-8", newline="") as table:
        for row in csv.reader(table, strict=True):
            found[row[0]].append(row)
    limits = list(lab.config().thresholds.values())
    limits = limits[:2] if group == "cpu_mem" else limits[2:]
    labels = list(lab.values["groups"][group]["labels"].values())
    wide = 0
    for number, pair in enumerate(zip(*columns, strict=True)):
        [row] = found[f"s{number:05d}"]
        if group == "cpu_mem":
            expected = [average(values) for values in pair]
        else:  # rows meet
            expected = [maximum(values[: min(map(len, pair))]) for values in pair]
        assert row[3:5] == [text for _, text in expected], pair
        above = [
            value > Fraction(limit) for (value, _), limit in zip(expected, limits, strict=True)
        ]
        label = {(True, True): 0, (True, False): 1, (False, True): 2}.get((above[0], above[1]))
        assert row[5] == ("" if label is None else labels[label])
        wide += any(is_wide(canonical_double(value)) for values in pair for value in values)
    return wide


def average(values: list[float]) -> tuple[Fraction, str]:
    """Return the average of the shortest decimal forms, in exact arithmetic."""
    exact = half_up(sum((Fraction(repr(value)) for value in values), Fraction(0)) / len(values))
    return exact, two_places(exact)


def maximum(values: list[float]) -> tuple[Fraction, str]:
    """Return the largest, and its text: as Python writes it, but for small ones and the E."""
    largest = max(values)
    text = canonical_double(largest)
    if is_wide(text):
        text = repr(largest).upper() if "e" not in repr(largest) else text
    return Fraction(repr(largest)), text


def pairs(rng: random.Random, count: int) -> tuple[list[list[float]], list[list[float]]]:
    """Return windows of both metrics with `count` values in each: of all sizes, and ties."""
    columns: tuple[list[list[float]], list[list[float]]] = ([], [])
    while sum(map(len, columns[0])) < count:
        for column in columns:
            size = rng.choice([1, 1, 2, 3, 7])
            random_ = [any_double(rng) for _ in range(size)]
            column.append(tie(rng) if rng.random() < 0.3 else random_)
    return columns


def test_averages_and_maxima_of_doubles_of_all_sizes_equal_fractions(lab: Lab) -> None:
    """Windows with and without wide values in one table, ties among them."""
    rng = random.Random(47)
    assert 200 < check(lab, pairs(rng, 700), "cpu_mem") < 700
    assert 200 < check(lab, pairs(rng, 700), "net_disk") < 700


@pytest.mark.long
@pytest.mark.parametrize("group", ["cpu_mem", "net_disk"])
def test_ten_thousand_doubles_of_all_sizes_equal_fractions(lab: Lab, group: str) -> None:
    """Through the whole analysis, with other numbers than the quick test."""
    assert check(lab, pairs(random.Random(48), 10_000), group) > 2_000


def test_only_data_with_wide_values_take_the_plan_for_them(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id that looks like one costs time at most."""
    monkeypatch.setattr(plan, "WIDE_AGGREGATES", {})
    for topic in (CPU, MEM):
        lab.store(topic, [("00:01:00", id_, "999999999999.9999") for id_ in ("e-1", "node-E", "E")])
    assert lab.analyze("cpu_mem").windows == 9
    lab.store(CPU, [("00:01:00", "a", "1e12")], 1)
    lab.store(MEM, [("00:01:00", "a", "1")], 1)
    with pytest.raises(KeyError):
        lab.analyze("cpu_mem")
