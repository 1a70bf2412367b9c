"""Run the analysis of one group: segments in, one alert table out."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from py4j.protocol import Py4JError
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark program uses

from server_monitoring.analysis import transforms
from server_monitoring.analysis.aggregates import AGGREGATES
from server_monitoring.errors import AnalysisError, DiskFullError, ServerMonitoringError, one_line
from server_monitoring.host.durable import storage_error
from server_monitoring.host.runs import Run
from server_monitoring.model.groups import Group, table_columns
from server_monitoring.model.timestamps import TimeForm
from server_monitoring.settings.config import Config
from server_monitoring.store import corrupt, lines, table
from server_monitoring.store.raw import Topic, find_topics

# Of both metrics, in one shuffled partition: what one core sorts in memory beside another.
ROWS_A_PARTITION = 500_000
LABELS = ("both", "first", "second")
_NO_SPACE = os.strerror(errno.ENOSPC)


@dataclass(frozen=True)
class Observations:
    """Counts that Spark takes on the way: of the rows read and of the rows written."""

    read: Observation
    written: Observation


@dataclass(frozen=True)
class Result:
    """What an analysis wrote.

    Attributes:
        rows: raw rows stored, by topic, as the sidecars say.
        corrupt_rows: corrupt lines set aside, by topic.
        lost_rows: rows stored that could not be read, by topic: a corrupt line may hold several
            rows, or be a piece of one.
        windows: rows of the table.
        alerts: rows by label.
        path, sha256: the table.

    """

    rows: dict[str, int]
    corrupt_rows: dict[str, int]
    lost_rows: dict[str, int]
    windows: int
    alerts: dict[str, int]
    path: Path
    sha256: str


def open_session(name: str) -> SparkSession:
    """Return a session with the settings that correctness depends on.

    Master, addresses and memory are spark-submit's, by `--conf`.

    Raises:
        AnalysisError: Spark does not start.

    """
    builder = SparkSession.builder.appName(name)
    # It notes the line of Python that each column comes from, by calls to Java.
    builder = builder.config("spark.python.sql.dataFrameDebugging.enabled", "false")
    try:
        spark = builder.getOrCreate()
    except (PySparkException, Py4JError) as error:
        raise AnalysisError(
            f"Spark did not start: {_cause(error)}; give the job more memory "
            "(pipeline_spark_driver_memory), or see its log"
        ) from error
    spark.sparkContext.setLogLevel("ERROR")
    spark.conf.set("spark.sql.ansi.enabled", "true")
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    # One shuffle with a fixed number of partitions: adapting it costs more than it saves.
    spark.conf.set("spark.sql.adaptive.enabled", "false")
    return spark


def _cause(error: Exception) -> str:
    """Return what Java threw, without the trace."""
    thrown = getattr(error, "java_exception", None)
    return one_line(error if thrown is None else thrown.toString())


def local_directories() -> list[Path]:
    """Return where Spark puts what does not stay in memory, as spark-submit was told."""
    SparkContext._ensure_initialized()  # noqa: SLF001 - what SparkConf reads is Java's
    found = SparkConf().get("spark.local.dir") or tempfile.gettempdir()
    return [Path(path) for path in found.split(",")]


def versions(spark: SparkSession) -> dict[str, str]:
    """Return the versions of Spark and Java."""
    query = "SELECT java_method('java.lang.System', 'getProperty', 'java.version')"
    (java,) = spark.sql(query).collect()
    return {"spark_version": spark.version, "java_version": str(java[0])}


def analyze(
    spark: SparkSession, run: Run, config: Config, group: Group, status: Callable[[str], None]
) -> Result:
    """Compute a group's alert table and write it to the run's directory.

    Corrupt lines of the raw data are left out of it, and set aside in `corrupt-<group>.csv`.

    Guarantee: the table is there whole or not at all; an earlier one is replaced only by a
    whole one.

    Raises:
        AnalysisError: raw data is missing or not whole, or Spark failed.
        StorageError: the table cannot be written; DiskFullError also if Spark had no space.

    """
    topics = find_topics(run, group)
    path = run.directory / group.output_file
    scratch = run.directory / f".{group.output_file}.parts"
    parts = scratch / "table"
    seen = Observations(Observation(), Observation())
    status(f"reading {sum(topic.rows for topic in topics)} rows")
    try:
        shutil.rmtree(scratch, ignore_errors=True)
        raw = [_lines(spark, topic, scratch, config.time_form()) for topic in topics]
        lines = _plan(raw, _partitions(topics), config, group, seen)
        lines.write.mode("overwrite").text(str(parts))
        read, counts = seen.read.get, seen.written.get
        corrupt_rows = _set_aside(read, topics, run, config, group)
        status(f"writing {counts['windows']} windows")
        sha256 = table.join(sorted(parts.glob("part-*")), path, _header(group))
    except (PySparkException, Py4JError) as error:
        raise _failure(group, run, error) from error
    except OSError as error:
        raise storage_error(path, error) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return Result(
        rows={topic.metric.topic: topic.rows for topic in topics},
        corrupt_rows=corrupt_rows,
        lost_rows={t.metric.topic: t.rows - read[f"good_{i}"] for i, t in enumerate(topics)},
        windows=counts["windows"],
        alerts=_alerts(group, counts),
        path=path,
        sha256=sha256,
    )


def _failure(group: Group, run: Run, error: Exception) -> ServerMonitoringError:
    """Return the one-line error for a failure of Spark; its text holds all causes in Java."""
    if _NO_SPACE in str(error):
        return DiskFullError(
            f"group {group.name}: Spark: {_NO_SPACE} in {run.directory} or in Spark's local "
            "directory; free space, then start the same command again"
        )
    if isinstance(error, PySparkException):
        return AnalysisError(
            f"group {group.name}: Spark failed: {one_line(error)}; see this job's log"
        )
    return AnalysisError(
        f"group {group.name}: Spark's Java process failed: {one_line(error)}; see this job's "
        "log and the memory of this host"
    )


def _alerts(group: Group, counts: dict[str, int]) -> dict[str, int]:
    """Return the rows by label; two that read alike are counted together."""
    alerts: dict[str, int] = {}
    for name in LABELS:
        text = getattr(group.labels, name)
        alerts[text] = alerts.get(text, 0) + counts[name]
    return alerts


def _partitions(topics: Sequence[Topic]) -> int:
    """Return in how many partitions the rows of both topics are shuffled."""
    return max(2, -(-sum(topic.rows for topic in topics) // ROWS_A_PARTITION))


def _plan(
    raw: Sequence[DataFrame], partitions: int, config: Config, group: Group, seen: Observations
) -> DataFrame:
    """Return the table's lines; each part that is written holds whole servers, sorted."""
    aggregate = AGGREGATES[group.aggregate]
    first, second = (
        transforms.readings(lines, metric, config.start, aggregate)
        for metric, lines in enumerate(raw)
    )
    good, bad = F.col("good"), ~F.col("good")
    rows = (
        first.unionByName(second)
        .observe(
            seen.read,
            *(F.count_if(good & (F.col("metric") == i)).alias(f"good_{i}") for i in (0, 1)),
            *(F.count_if(bad & (F.col("metric") == i)).alias(f"bad_{i}") for i in (0, 1)),
        )
        .where(good)
        .repartition(partitions, "server_id")
    )
    windows = config.windows()
    values = transforms.windowed(transforms.pairs(rows, aggregate), windows, group, aggregate)
    rows_of_table = (
        transforms.labelled(values, group, config.thresholds, aggregate)
        .observe(
            seen.written,
            F.count(F.lit(1)).alias("windows"),
            *(F.count_if(F.col("label") == name).alias(name) for name in LABELS),
        )
        .sortWithinPartitions("server_id", "window_start")
    )
    return transforms.table_lines(rows_of_table, windows, group, config.start, aggregate)


def _lines(spark: SparkSession, topic: Topic, scratch: Path, form: TimeForm) -> DataFrame:
    """Return the lines of a topic's segments, headers too, with each row on one line."""
    paths = []
    for path in topic.files:
        readable = path
        if lines.has_quotes(path):
            readable = scratch / topic.metric.topic / path.name
            readable.parent.mkdir(parents=True, exist_ok=True)
            lines.one_line_each(path, readable, form)
        paths.append(str(readable))
    return spark.read.text(paths, lineSep="\n")


def _set_aside(
    read: dict[str, int], topics: Sequence[Topic], run: Run, config: Config, group: Group
) -> dict[str, int]:
    """Set corrupt lines aside, if Spark found any, and return their number by topic."""
    path = run.directory / f"corrupt-{group.name}.csv"
    for i, topic in enumerate(topics):
        if read[f"good_{i}"] > topic.rows:
            raise AnalysisError(
                f"{topic.files[0].parent}: found {read[f'good_{i}']} rows, expected the "
                f"{topic.rows} of the sidecars; collect the run again"
            )
    # Each file's header is no row.
    found = {t.metric.topic: read[f"bad_{i}"] - len(t.files) for i, t in enumerate(topics)}
    if not any(found.values()):
        path.unlink(missing_ok=True)
    elif found != corrupt.set_aside(topics, path, config.time_form()):
        raise AnalysisError(
            f"{run.raw}: Spark found {found} corrupt rows, but {path.name} lists others; was a "
            "file changed meanwhile? Start the analysis again"
        )
    return found


def _header(group: Group) -> str:
    return ",".join(table_columns(metric.output_column for metric in group.metrics)) + "\n"
