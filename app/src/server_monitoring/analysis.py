"""From raw readings to the alert table: DataFrame to DataFrame, no files, no user functions.

The rows of both metrics are united and shuffled once, by server_id; everything after (meeting
of rows, windows, sorting) happens within those partitions. `table` puts them in order.
"""

from decimal import Decimal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark program uses

from server_monitoring import config
from server_monitoring.clock import time_second, time_text
from server_monitoring.segment import csv_field
from server_monitoring.table import LINE_END_STAND_IN
from server_monitoring.windows import Windows

# 12 digits before the point and 18 after: the limits of a value, see records.
VALUE_TYPE = "decimal(30,18)"
RAW_SCHEMA = "ts string, server_id string, value string, corrupt string"


def readings(raw: DataFrame, metric: int, start: str) -> DataFrame:
    """Type the rows of one metric.

    Args:
        raw: RAW_SCHEMA, rows of each server in the order of their offsets.
        metric: 0 or 1, which of the group's metrics it is.
        start: the setting, whose form all times have.

    Returns:
        server_id, second (bigint), value (VALUE_TYPE), metric, position (grows with the offset)
        and bad (whether the row is corrupt; its other columns mean nothing then).

    """
    second = time_second("ts", start)
    value = F.col("value").try_cast(VALUE_TYPE)
    bad = (
        F.col("corrupt").isNotNull()
        | second.isNull()
        | value.isNull()
        | F.col("server_id").isNull()
    )
    return raw.select(
        F.col("server_id"),
        second.alias("second"),
        value.alias("value"),
        F.lit(metric).alias("metric"),
        F.monotonically_increasing_id().alias("position"),
        bad.alias("bad"),
    )


def pairs(rows: DataFrame) -> DataFrame:
    """Bring the two metrics of a server and second together.

    Of several rows of a metric with the same server_id and second the first one counts.

    Returns:
        server_id, second, value_0, value_1 (null where the metric has no row).

    """
    first = "min_by(value, position) FILTER (WHERE metric = {0}) AS value_{0}"
    return rows.groupBy("server_id", "second").agg(
        *(F.expr(first.format(metric)) for metric in (0, 1))
    )


def windowed(paired: DataFrame, windows: Windows, group: config.Group) -> DataFrame:
    """Aggregate both metrics over sliding windows.

    Args:
        paired: as `pairs` returns it.
        windows: length, slide and first start.
        group: its `join` says what must meet: with `rows`, only seconds count at which both
            metrics have a row; with `windows` all count, and the windows are kept in which both
            have one. Its `aggregate` is what becomes of a window's values.

    Returns:
        server_id, window_start (seconds), value_0, value_1: the rounded averages, or the maxima.

    """
    if group.join == config.JOIN_ROWS:
        paired = paired.where("value_0 IS NOT NULL AND value_1 IS NOT NULL")
    grouped = _in_windows(paired, windows).groupBy("server_id", "window_start")
    if group.aggregate == config.AVERAGE:
        values = [
            rounded_average(F.sum(name), F.count(name)).alias(name)
            for name in ("value_0", "value_1")
        ]
    else:
        values = [F.max(name).alias(name) for name in ("value_0", "value_1")]
    return grouped.agg(*values).where("value_0 IS NOT NULL AND value_1 IS NOT NULL")


def _in_windows(paired: DataFrame, windows: Windows) -> DataFrame:
    """Repeat each row for each window that holds it: windows.Windows.starts."""
    slide = _bigint(windows.slide)
    # The multiples of slide in (second - window, second].
    after = F.col("second") - _bigint(windows.window - 1)
    lowest = F.greatest(after + F.pmod(-after, slide), _bigint(windows.first_aligned_start()))
    highest = F.col("second") - F.pmod(F.col("second"), slide)
    return (
        paired.withColumns({"lowest": lowest, "highest": highest})
        .where("lowest <= highest")
        .select(
            "server_id",
            F.explode(F.sequence("lowest", "highest", slide)).alias("window_start"),
            "value_0",
            "value_1",
        )
    )


def rounded_average(total: Column, count: Column) -> Column:
    """Return total / count with one half-up rounding to 2 places, as decimal(20,2).

    Args:
        total: decimal(38,18), exact; null where there is no value, and then so is the average.
        count: bigint, not 0 where total is not null.

    As `windows.rounded_average`: a decimal division would round at its own scale first. Whole
    and fractional part are taken apart because Spark lowers the scale, with a rounding, of a
    product that needs more than 38 digits.

    """
    size = F.abs(total)
    whole = size.cast("bigint")
    fraction = (size % F.lit(Decimal(1))).cast("decimal(18,18)")
    doubled = whole * 200 + F.floor(fraction * F.lit(Decimal(200))).cast("bigint")
    hundredths = F.call_function("div", doubled + count, F.greatest(count, _bigint(1)) * 2)
    signed = F.when(total < 0, -hundredths).otherwise(hundredths)
    return (signed.cast("decimal(18,0)") * F.lit(Decimal("0.01"))).cast("decimal(20,2)")


def labelled(values: DataFrame, group: config.Group, thresholds: dict[str, Decimal]) -> DataFrame:
    """Add the column `label`: both, first, second or null, by the thresholds (strictly above)."""
    above = [
        F.col(f"value_{index}") > F.lit(thresholds[metric.column])
        for index, metric in enumerate(group.metrics)
    ]
    label = (
        F.when(above[0] & above[1], F.lit("both"))
        .when(above[0], F.lit("first"))
        .when(above[1], F.lit("second"))
    )
    return values.withColumn("label", label)


def table_lines(rows: DataFrame, windows: Windows, group: config.Group, setting: str) -> DataFrame:
    """Write the alert table as CSV lines in the column `line`, in the order of `rows`.

    Times have the form and zone of `setting`, the setting start. A line end inside a server id
    is written as `table.LINE_END_STAND_IN`.
    """
    texts = {
        "both": group.labels.both,
        "first": group.labels.first,
        "second": group.labels.second,
    }
    label = F.lit("")
    for name, text in texts.items():
        label = F.when(F.col("label") == name, F.lit(csv_field(text))).otherwise(label)
    value_text = decimal_text if group.aggregate == config.MAXIMUM else _as_text
    start = F.col("window_start")
    return rows.select(
        F.concat_ws(
            ",",
            csv_text(F.col("server_id")),
            time_text(start, setting),
            time_text(start + windows.window, setting),
            value_text(F.col("value_0")),
            value_text(F.col("value_1")),
            label,
        ).alias("line")
    )


def csv_text(text: Column) -> Column:
    """Return a text as a CSV field; as segment.csv_field, but on one line."""
    doubled = F.replace(text, F.lit('"'), F.lit('""'))
    on_one_line = F.replace(doubled, F.lit("\n"), F.lit(LINE_END_STAND_IN))
    quoted = F.concat(F.lit('"'), on_one_line, F.lit('"'))
    return F.when(text.rlike('[,"\\r\\n]'), quoted).otherwise(text)


def decimal_text(value: Column) -> Column:
    """Return a decimal in its shortest form, with at least one digit after the point."""
    return F.regexp_replace(value.cast("string"), "(?<=[0-9])0+$", "")


def _as_text(value: Column) -> Column:
    return value.cast("string")


def _bigint(value: int) -> Column:
    return F.lit(value).cast("bigint")
