"""The plan of a group's analysis: from the lines of its raw data to those of its table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark program uses

from server_monitoring.analysis import transforms
from server_monitoring.analysis.aggregates import AGGREGATES, WIDE_AGGREGATES, Aggregate
from server_monitoring.analysis.transforms import METRICS
from server_monitoring.model.groups import Group
from server_monitoring.model.timestamps import CLOCK, ISO, TimeForm
from server_monitoring.model.windows import Windows
from server_monitoring.settings.config import Config
from server_monitoring.store import lines
from server_monitoring.store.raw import Topic

# Of both metrics, in one shuffled partition: what one core sorts in memory beside another.
ROWS_A_PARTITION = 500_000
LABELS = ("both", "first", "second")


@dataclass(frozen=True)
class Observations:
    """Counts that Spark takes on the way: of rows read, of those that meet, of windows."""

    read: Observation
    met: Observation
    windows: Observation


@dataclass(frozen=True)
class Parts:
    """What a plan is made of.

    Attributes:
        group: the metric group.
        form: of the times.
        like: a time that has the form, and the zone, of the table's.
        windows: their length, slide and first start.
        aggregate: what becomes of a window's values.
        wide: whether some of them may be wide.
        own: of live mode, thresholds by server id or pattern of ids.

    """

    group: Group
    form: TimeForm
    like: str
    windows: Windows
    aggregate: Aggregate
    wide: bool
    own: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)


def parts(
    topics: Sequence[Topic], config: Config, group: Group, seconds: range | None = None
) -> Parts:
    """Return what the settings and the raw data ask for.

    With `seconds`, of rows of agents, all windows that start in these, and no others.
    """
    files = [path for topic in topics for path in topic.files]
    wide = any(map(lines.may_have_wide_values, files))
    aggregate = (WIDE_AGGREGATES if wide else AGGREGATES)[group.aggregate]
    if seconds is not None:
        size, slide = config.window_seconds, config.slide_seconds
        windows = Windows(size, slide, None, seconds.start, seconds.stop)
        own = config.live.thresholds if config.live else {}
        return Parts(group, ISO, ISO.epoch, windows, aggregate, wide, own)
    form = config.time_form() or lines.first_form(files) or CLOCK
    windows, like = config.windows(form), config.start or form.epoch
    return Parts(group, form, like, windows, aggregate, wide)


def partitions(topics: Sequence[Topic]) -> int:
    """Return in how many partitions the rows of both topics are shuffled."""
    return max(2, -(-sum(topic.rows for topic in topics) // ROWS_A_PARTITION))


def table(
    raw: Sequence[DataFrame], partitions: int, config: Config, of: Parts, seen: Observations
) -> DataFrame:
    """Return the table's lines; each part that is written holds whole servers, sorted."""
    first, second = (
        transforms.readings(lines, metric, of.form, of.aggregate)
        for metric, lines in enumerate(raw)
    )
    rows = (
        first.unionByName(second)
        .observe(seen.read, *_counts_of_rows(of.windows))
        .where(_needed(of.windows))
        .repartition(partitions, "server_id")
    )
    pairs = transforms.pairs(rows, of.aggregate).observe(
        seen.met,
        *(F.count(f"fraction_{i}").alias(f"met_{i}") for i in METRICS),
        F.count_if(transforms.met()).alias("met"),
    )
    values = transforms.windowed(pairs, of.windows, of.group, of.aggregate)
    labelled = transforms.labelled(values, of.group, config.thresholds, of.aggregate, of.own)
    shown, before = F.col("complete"), F.lit(0)
    if of.windows.first_start is not None:
        early = F.col("window_start") < of.windows.first_start
        shown, before = shown & ~early, F.count_if(shown & early)
    rows_of_table = (
        labelled.observe(
            seen.windows,
            F.count_if(shown).alias("windows"),
            before.alias("before"),
            F.count_if(~F.col("complete")).alias("partial"),
            *(F.count_if(shown & (F.col("label") == name)).alias(name) for name in LABELS),
        )
        .where(shown)
        .sortWithinPartitions("server_id", "window_start")
    )
    return transforms.table_lines(rows_of_table, of.windows, of.group, of.like, of.aggregate)


def _needed(windows: Windows) -> Column:
    """Return whether a row is good, and not after the last window."""
    last = windows.last_start()
    if last is None:
        return F.col("good")
    return F.col("good") & (F.col("second") < last + windows.window)


def _counts_of_rows(windows: Windows) -> Iterator[Column]:
    """Yield the counts of rows read: good, needed, bad, before the first window; their times."""
    good, bad, second = F.col("good"), ~F.col("good"), F.col("second")
    first_start = windows.first_aligned_start()
    for metric in METRICS:
        own = F.col("metric") == metric
        before = F.lit(0) if first_start is None else F.count_if(own & (second < first_start))
        yield F.count_if(good & own).alias(f"good_{metric}")
        yield F.count_if(_needed(windows) & own).alias(f"needed_{metric}")
        yield F.count_if(bad & own).alias(f"bad_{metric}")
        yield before.alias(f"before_{metric}")
    if first_start is not None:
        yield F.min("second").alias("first")
        yield F.max("second").alias("last")
