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

from server_monitoring.analysis import plan
from server_monitoring.analysis.transforms import METRICS
from server_monitoring.errors import AnalysisError, DiskFullError, ServerMonitoringError, one_line
from server_monitoring.host.durable import storage_error
from server_monitoring.host.runs import Day, Run
from server_monitoring.model.groups import JOIN_ROWS, JOIN_WINDOWS, Group, table_columns
from server_monitoring.model.timestamps import TimeForm, time_text
from server_monitoring.settings.config import Config
from server_monitoring.store import corrupt, lines, table
from server_monitoring.store.raw import Topic, copy_topics, find_topics

# Bytes of the largest method that Java compiles: those that sum wide values are larger, and Spark
# does well to write none. Any size is Spark's own default.
JAVA_METHOD, MOST_METHOD = 8_000, 65_535
_NO_SPACE = os.strerror(errno.ENOSPC)


@dataclass(frozen=True)
class Result:
    """What an analysis wrote.

    Attributes:
        rows: raw rows stored, by topic, as the sidecars say; of a day, without those of the next.
        corrupt_rows: corrupt lines set aside, by topic.
        lost_rows: rows stored that could not be read, by topic: a corrupt line may hold several
            rows, or be a piece of one.
        repeated_rows: rows left out for an earlier one of the same time and server, by topic.
        rows_before_start: rows that no window from the setting start on holds, by topic.
        rows_alone: rows left out as the other metric has none of that time and server, by topic.
        windows: rows of the table.
        windows_before_start: windows left out as they begin before the setting start.
        windows_of_one_metric: windows left out as the other metric has no value in them.
        alerts: rows by label.
        like: a time in the form and zone of the table's times; "" if there are none.
        path, sha256: the table.

    """

    rows: dict[str, int]
    corrupt_rows: dict[str, int]
    lost_rows: dict[str, int]
    repeated_rows: dict[str, int]
    rows_before_start: dict[str, int]
    rows_alone: dict[str, int]
    windows: int
    windows_before_start: int
    windows_of_one_metric: int
    alerts: dict[str, int]
    like: str
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
        AnalysisError: raw data is missing or not whole, all of a run's rows lie before the setting
            start, or Spark failed.
        StorageError: the table cannot be written; DiskFullError also if Spark had no space.

    """
    path = run.directory / group.output_file
    scratch = run.directory / f".{group.output_file}.parts"
    parts = scratch / "table"
    seen = plan.Observations(Observation(), Observation(), Observation())
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        day = run if isinstance(run, Day) else None
        topics = copy_topics(day, group, scratch / "day") if day else find_topics(run, group)
        status(f"reading {sum(topic.rows for topic in topics)} rows")
        of = plan.parts(topics, config, group, day.seconds() if day else None)
        raw = [_lines(spark, topic, scratch, of.form) for topic in topics]
        limit = JAVA_METHOD if of.wide else MOST_METHOD
        spark.conf.set("spark.sql.codegen.hugeMethodLimit", limit)
        table_lines = plan.table(raw, plan.partitions(topics), config, of, seen)
        table_lines.write.mode("overwrite").text(str(parts))
        read, met, counts = seen.read.get, seen.met.get, seen.windows.get
        corrupt_rows = _set_aside(read, topics, run, of)
        _check_start(read, config, of)
        status(f"writing {counts['windows']} windows")
        sha256 = table.join(sorted(parts.glob("part-*")), path, _header(group))
    except (PySparkException, Py4JError) as error:
        raise _failure(group, run, error) from error
    except OSError as error:
        raise storage_error(path, error) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return Result(
        rows={topic.metric.topic: topic.rows - topic.rows_after for topic in topics},
        corrupt_rows=corrupt_rows,
        lost_rows={t.metric.topic: t.rows - read[f"good_{i}"] for i, t in enumerate(topics)},
        repeated_rows=_by_topic(group, lambda i: read[f"needed_{i}"] - met[f"met_{i}"]),
        rows_before_start=_by_topic(group, lambda i: read[f"before_{i}"]),
        rows_alone=_by_topic(
            group, lambda i: met[f"met_{i}"] - met["met"] if group.join == JOIN_ROWS else 0
        ),
        windows=counts["windows"],
        windows_before_start=counts["before"],
        windows_of_one_metric=counts["partial"] if group.join == JOIN_WINDOWS else 0,
        alerts=_alerts(group, counts),
        like=of.like if any(read[f"good_{i}"] for i in METRICS) else "",
        path=path,
        sha256=sha256,
    )


def _by_topic(group: Group, count: Callable[[int], int]) -> dict[str, int]:
    return {metric.topic: count(i) for i, metric in enumerate(group.metrics)}


def _check_start(read: dict[str, int], config: Config, of: plan.Parts) -> None:
    """Refuse a run whose rows all lie before the setting start, where all of them are here.

    Of several hosts in a group, one may have none but servers that ended early.
    """
    rows = sum(read[f"good_{i}"] for i in METRICS)
    before = sum(read[f"before_{i}"] for i in METRICS)
    share = config.consumers.get(of.group.name)
    if rows and rows == before and (share is None or share.hosts == 1):
        first, last = (time_text(read[name], of.like) for name in ("first", "last"))
        raise AnalysisError(
            f"group {of.group.name}: all {rows} rows lie before the setting start, {config.start}: "
            f'found times from {first} to {last}; set an earlier start, or "" for all windows'
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
    for name in plan.LABELS:
        text = getattr(group.labels, name)
        alerts[text] = alerts.get(text, 0) + counts[name]
    return alerts


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
    read: dict[str, int], topics: Sequence[Topic], run: Run, of: plan.Parts
) -> dict[str, int]:
    """Set corrupt lines aside, if Spark found any, and return their number by topic."""
    path = run.directory / f"corrupt-{of.group.name}.csv"
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
    elif found != corrupt.set_aside(topics, path, of.form):
        raise AnalysisError(
            f"{run.raw}: Spark found {found} corrupt rows, but {path.name} lists others; was a "
            "file changed meanwhile? Start the analysis again"
        )
    return found


def _header(group: Group) -> str:
    return ",".join(table_columns(metric.output_column for metric in group.metrics)) + "\n"
