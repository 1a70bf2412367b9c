"""Averages and maxima in whole numbers are exact, for every value that a row may hold."""

import math
import random
from decimal import Decimal
from fractions import Fraction

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark program uses
from server_monitoring.analysis.aggregates import AGGREGATES, WIDE_AGGREGATES, Aggregate
from server_monitoring.model.groups import AVERAGE, MAXIMUM
from server_monitoring.model.values import VALUE_LIMIT, canonical_double, decimal_text

from tests.support.reference_tables import half_up, two_places

UNIT = Fraction(1, 10**18)
WHOLE, HALF = VALUE_LIMIT - 1, 10**9 - 1
TOTALS = "number int, whole_0 bigint, high_0 bigint, low_0 bigint, count_0 bigint"


def random_totals(rng: random.Random) -> tuple[int, int, int, int]:
    """Return sums of whole parts and both halves of fractions, and their count.

    Half of them lie on a tie, or one unit of the 18th place beside it.
    """
    count = rng.choice([1, 2, 3, 7, 360, 86_400])
    if rng.random() < 0.5:
        units = (2 * rng.randrange(-(10**6), 10**6) + 1) * count * 5 * 10**15 + rng.randint(-1, 1)
        sign = -1 if units < 0 else 1
        whole, rest = divmod(abs(units), 10**18)
        high, low = divmod(rest, 10**9)
        return sign * whole, sign * high, sign * low, count
    return (
        rng.choice([0, rng.randint(-WHOLE, WHOLE)]) * count,
        rng.choice([0, rng.randint(-HALF, HALF)]) * count,
        rng.choice([0, rng.randint(-HALF, HALF)]) * count,
        count,
    )


def test_averages_equal_fractions_for_random_totals_and_ties(spark: SparkSession) -> None:
    """Up to the largest sums of the longest window; their text has two places."""
    rng = random.Random(47)
    cases = [random_totals(rng) for _ in range(2_000)]
    cases += [(s * WHOLE * 86_400, s * HALF * 86_400, s * HALF * 86_400, 86_400) for s in (-1, 1)]
    frame = spark.createDataFrame([(n, *case) for n, case in enumerate(cases)], TOTALS)
    average = AGGREGATES[AVERAGE]
    results = frame.select("number", *(c.alias(n) for n, c in average.result(0).items()))
    for row in results.withColumn("text", average.text(0)).collect():
        whole, high, low, count = cases[row["number"]]
        total = whole + Fraction(high, 10**9) + low * UNIT
        exact = half_up(total / count)
        assert Fraction(row["hundredths_0"], 100) == exact, cases[row["number"]]
        assert row["text"] == two_places(exact)


def test_an_average_without_values_is_null(spark: SparkSession) -> None:
    """And not a division by zero."""
    frame = spark.createDataFrame([(0, None, None, None, 0)], TOTALS)
    [(found,)] = frame.select(*AGGREGATES[AVERAGE].result(0).values()).collect()
    assert found is None


def one_value_each(spark: SparkSession, texts: list[str], aggregate: Aggregate) -> DataFrame:
    """Return for each text the columns of a window that holds it alone; `text` says which."""
    frame = spark.createDataFrame([(text,) for text in texts], "text string")
    carried = aggregate.carried(F.col("text"))
    values = frame.select("text", *(c.alias(f"{n}_0") for n, c in carried.items()))
    totals = values.groupBy("text").agg(*(c.alias(n) for n, c in aggregate.totals(0).items()))
    return totals.select("text", *(c.alias(n) for n, c in aggregate.result(0).items()))


def canonical_texts(rng: random.Random, count: int) -> list[str]:
    """Return texts of doubles of every size within the limits."""
    texts = ["0.0", "5.0", "100.0", "-20.0", "0.000000000000000001", "2.0E-3", "123456789012.25"]
    texts += ["-0.5", "-0.000000000000000001", "999999999999.9999", "-999999999999.9999"]
    texts = [decimal_text(float(text)) for text in texts]
    while len(texts) < count:
        text = decimal_text(rng.uniform(-1, 1) * 10 ** rng.randrange(-3, 12))
        if len(text.split(".")[1]) <= 18:
            texts.append(text)
    return sorted(set(texts))


def test_the_text_of_a_maximum_is_the_shortest_of_its_double(spark: SparkSession) -> None:
    """Through whole numbers and back."""
    texts = canonical_texts(random.Random(47), 2_000)
    found = one_value_each(spark, texts, AGGREGATES[MAXIMUM]).select(
        "text", AGGREGATES[MAXIMUM].text(0)
    )
    assert len([row for row in found.collect() if row[0] == row[1]]) == len(texts)


def test_the_maximum_of_neighbouring_doubles_is_the_larger(spark: SparkSession) -> None:
    """Each value with the next double above it, in both orders, below zero too."""
    rng = random.Random(47)
    pairs = []
    for text in canonical_texts(rng, 1_000):
        above = decimal_text(math.nextafter(float(text), math.inf))
        if len(above.split(".")[1]) <= 18:
            pairs.append((text, above))
    assert len(pairs) > 500
    rows = [(n, text) for n, pair in enumerate(pairs) for text in rng.sample(pair, 2)]
    maximum = AGGREGATES[MAXIMUM]
    carried = maximum.carried(F.col("text"))
    frame = spark.createDataFrame(rows, "pair int, text string")
    values = frame.select("pair", *(c.alias(f"{n}_0") for n, c in carried.items()))
    totals = values.groupBy("pair").agg(*(c.alias(n) for n, c in maximum.totals(0).items()))
    for row in totals.select("pair", maximum.text(0).alias("text")).collect():
        assert row["text"] == pairs[row["pair"]][1]


THRESHOLDS = ["0", "0.0", "-0.5", "3688.63", "-1", "-1.5", "82.1", "1e-18", "-1e-18", "1e-30",
              "-1e-30", "1e30", "-1e30", "5.004", "5.005", "4.995", "5.01"]  # fmt: skip


# Beyond them: so large that hundredths are no bigint, and so small that they are none.
WIDE_THRESHOLDS = ["1E+300", "-1E+300", "1E+12", "5E-324", "-5E-324", "1000000000000000.1"]


@pytest.mark.parametrize("kind", [AVERAGE, MAXIMUM])
@pytest.mark.parametrize("aggregates", [AGGREGATES, WIDE_AGGREGATES])
def test_above_is_strictly_above_in_exact_arithmetic(
    spark: SparkSession, kind: str, aggregates: dict[str, Aggregate]
) -> None:
    """For every threshold that a setting may be, whatever its sign, size or digits."""
    texts = ["0.0", "-0.5", "0.5", "-1.0", "-1.5", "-2.25", "3688.63", "3688.6300000000006", "82.1",
             "0.000000000000000001", "-0.000000000000000001", "5.0", "5.005", "5.01", "82.104",
             "999999999999.0", "-999999999999.0"]  # fmt: skip
    limits = [*THRESHOLDS, *WIDE_THRESHOLDS]
    if aggregates is WIDE_AGGREGATES:
        wide = [float(limit) for limit in WIDE_THRESHOLDS]
        beside = [math.nextafter(value, way) for value in wide for way in (-math.inf, math.inf)]
        texts += {canonical_double(value) for value in [*wide, *beside]} - set(texts)
    aggregate = aggregates[kind]
    above = [aggregate.above(0, Decimal(limit)).alias(limit) for limit in limits]
    found = one_value_each(spark, texts, aggregate).select("text", *above).collect()
    assert len(found) == len(texts)
    for row in found:
        value = Fraction(row["text"])
        compared = half_up(value) if kind == AVERAGE else value
        for place, limit in enumerate(limits, 1):
            assert row[place] == (compared > Fraction(Decimal(limit))), (row["text"], limit)
