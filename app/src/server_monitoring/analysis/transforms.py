"""From raw readings to the alert table: DataFrame to DataFrame, no files, no user functions.

Rows are read as lines, so that Spark splits files where it likes. Those of both metrics are
united and shuffled once, by server_id; everything after (meeting of rows, windows, sorting)
happens within those partitions. `table` puts them in order.
"""

from collections.abc import Mapping
from decimal import Decimal
from fnmatch import translate
from functools import reduce
from operator import and_, or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark program uses

from server_monitoring.analysis.aggregates import Aggregate
from server_monitoring.analysis.times import time_second, time_text
from server_monitoring.model import groups
from server_monitoring.model.csv_text import (
    LINE_END_STAND_IN,
    MARK,
    MAY_NEED_MARK,
    NEEDS_MARK,
    TABLE_SPECIAL,
    table_field,
    text_cell,
)
from server_monitoring.model.timestamps import TimeForm
from server_monitoring.model.windows import Windows
from server_monitoring.store.lines import row_pattern

METRICS = (0, 1)  # of a group, in its order


def readings(lines: DataFrame, metric: int, form: TimeForm, aggregate: Aggregate) -> DataFrame:
    """Type the lines of one metric.

    Args:
        lines: value: lines of segments, headers too, as `lines.one_line_each` has them; those
            of each server in the order of their offsets.
        metric: 0 or 1, which of the group's metrics it is.
        form: of all times.
        aggregate: which decides in what columns a value is carried.

    Returns:
        server_id, second (bigint), the carried columns, metric, position (grows with the offset)
        and good (whether the line is a row; what it holds is null else).

    """
    line = F.col("value")
    row = row_pattern(form, value=aggregate.values)
    matches = line.rlike(rf"\A{row}\z") & F.is_valid_utf8(line)
    parts = lines.select("value", F.split(line, ",").alias("fields"), matches.alias("matches"))
    fields = F.col("fields")

    def of_rows(column: Column) -> Column:
        return F.when(F.col("matches"), column)

    typed = parts.select(
        of_rows(_server_id(line, fields)).alias("server_id"),
        of_rows(time_second(fields[0], form)).alias("second"),
        *(of_rows(c).alias(n) for n, c in aggregate.carried(F.element_at(fields, -1)).items()),
        F.lit(metric).alias("metric"),
        F.monotonically_increasing_id().alias("position"),
    )
    return typed.withColumn("good", F.col("second").isNotNull())


def _server_id(line: Column, fields: Column) -> Column:
    # A quoted id may hold commas; it lies between the line's first quote and its last.
    quoted = F.regexp_extract(line, '(?s)"(.*)"', 1)
    unquoted = F.replace(quoted, F.lit('""'), F.lit('"'))
    with_line_ends = F.replace(unquoted, F.lit(LINE_END_STAND_IN), F.lit("\n"))
    return F.when(F.contains(line, F.lit('"')), with_line_ends).otherwise(fields[1])


def pairs(rows: DataFrame, aggregate: Aggregate) -> DataFrame:
    """Bring the two metrics of a server and second together.

    Of several rows of a metric with the same server_id and second the first one counts.

    Returns:
        server_id, second, and the carried columns of both metrics (null where one has no row).

    """
    first = "min_by({0}, position) FILTER (WHERE metric = {1}) AS {0}_{1}"
    return rows.groupBy("server_id", "second").agg(
        *(
            F.expr(first.format(name, metric))
            for metric in METRICS
            for name in aggregate.carried(F.lit(""))
        )
    )


def windowed(
    paired: DataFrame, windows: Windows, group: groups.Group, aggregate: Aggregate
) -> DataFrame:
    """Aggregate both metrics over sliding windows.

    Args:
        paired: as `pairs` returns it.
        windows: length, slide, and where they begin; those before the first start too.
        group: its `join` says what must meet: with `rows`, only seconds count at which both
            metrics have a row; with `windows` all count.
        aggregate: what becomes of a window's values.

    Returns:
        server_id, window_start (seconds), `complete` (whether both metrics have a value), and the
        result's columns of both metrics.

    """
    if group.join == groups.JOIN_ROWS:
        paired = paired.where(met())
    totals = [c.alias(n) for metric in METRICS for n, c in aggregate.totals(metric).items()]
    results = [c.alias(n) for metric in METRICS for n, c in aggregate.result(metric).items()]
    return (
        _in_windows(paired, windows)
        .groupBy("server_id", "window_start")
        .agg(*totals)
        .select("server_id", "window_start", _of_both("whole").alias("complete"), *results)
    )


def met() -> Column:
    """Return whether both metrics have a row at a server's second."""
    return _of_both("fraction")


def _of_both(name: str) -> Column:
    return reduce(and_, (F.col(f"{name}_{metric}").isNotNull() for metric in METRICS))


def _in_windows(paired: DataFrame, windows: Windows) -> DataFrame:
    """Repeat each row for each window that holds it, also before the first start."""
    slide = _bigint(windows.slide)
    # The multiples of slide in (second - window, second].
    after = F.col("second") - _bigint(windows.window - 1)
    lowest = after + F.pmod(-after, slide)
    earliest = windows.earliest_aligned_start()
    if earliest is not None:
        lowest = F.greatest(lowest, _bigint(earliest))
    highest = F.col("second") - F.pmod(F.col("second"), slide)
    last = windows.last_start()
    if last is not None:
        highest = F.least(highest, _bigint(last))
    return (
        paired.withColumns({"lowest": lowest, "highest": highest})
        .where("lowest <= highest")
        .withColumn("window_start", F.explode(F.sequence("lowest", "highest", slide)))
    )


def labelled(
    values: DataFrame,
    group: groups.Group,
    thresholds: Mapping[str, Decimal],
    aggregate: Aggregate,
    own: Mapping[str, Mapping[str, Decimal]],
) -> DataFrame:
    """Add the column `label`: both, first, second or null, by the thresholds (strictly above).

    `own` are thresholds by server id or pattern of ids; the first that fits counts.
    """
    above = []
    for index, metric in enumerate(group.metrics):
        is_above = aggregate.above(index, thresholds[metric.column])
        for pattern, limits in reversed(list(own.items())):
            if metric.column in limits:
                fits = F.col("server_id").rlike(_java_pattern(pattern))
                limit = aggregate.above(index, limits[metric.column])
                is_above = F.when(fits, limit).otherwise(is_above)
        above.append(is_above)
    label = (
        F.when(above[0] & above[1], F.lit("both"))
        .when(above[0], F.lit("first"))
        .when(above[1], F.lit("second"))
    )
    return values.withColumn("label", label)


def _java_pattern(pattern: str) -> str:
    """Return the regular expression for what a shell's pattern fits: as `fnmatch.fnmatchcase`."""
    # Python's end of a text is another one's in Java, where it may be before a line end.
    return rf"\A{translate(pattern)[:-2]}\z"


def table_lines(
    rows: DataFrame, windows: Windows, group: groups.Group, like: str, aggregate: Aggregate
) -> DataFrame:
    """Write the alert table as CSV lines in the column `line`, in the order of `rows`.

    Times have the form and zone of the time `like`. A line end inside a server id
    is written as `csv_text.LINE_END_STAND_IN`; no text is one that a spreadsheet runs.
    """
    texts = {
        "both": group.labels.both,
        "first": group.labels.first,
        "second": group.labels.second,
    }
    label = F.lit("")
    for name, text in texts.items():
        label = F.when(F.col("label") == name, F.lit(table_field(text_cell(text)))).otherwise(label)
    start = F.col("window_start")
    return rows.withColumn("server", safe_text(F.col("server_id"))).select(
        F.concat_ws(
            ",",
            csv_text(F.col("server")),
            time_text(start, like),
            time_text(start + windows.window, like),
            *(aggregate.text(metric) for metric in METRICS),
            label,
        ).alias("line")
    )


def safe_text(text: Column) -> Column:
    """Return a text as csv_text.text_cell does."""
    # Its first character alone tells of most texts that no pattern need be tried.
    perhaps = F.ascii(text).isin([ord(character) for character in MAY_NEED_MARK])
    needs_mark = perhaps & text.rlike(NEEDS_MARK)
    return F.when(needs_mark, F.concat(F.lit(MARK), text)).otherwise(text)


def csv_text(text: Column) -> Column:
    """Return a text as a CSV field; as csv_text.table_field, but on one line."""
    doubled = F.replace(text, F.lit('"'), F.lit('""'))
    on_one_line = F.replace(doubled, F.lit("\n"), F.lit(LINE_END_STAND_IN))
    quoted = F.concat(F.lit('"'), on_one_line, F.lit('"'))
    needs_quotes = reduce(or_, (F.contains(text, F.lit(c)) for c in TABLE_SPECIAL))
    return F.when(needs_quotes, quoted).otherwise(text)


def _bigint(value: int) -> Column:
    return F.lit(value).cast("bigint")
