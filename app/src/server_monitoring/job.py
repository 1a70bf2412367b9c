"""Run the analysis of one group: segments in, one alert table out."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark program uses

from server_monitoring import analysis, table
from server_monitoring.config import Config, Group
from server_monitoring.durable import storage_error
from server_monitoring.errors import AnalysisError, one_line
from server_monitoring.raw import Topic, corrupt_row, find_topics
from server_monitoring.runs import Run

PARTITIONS = 4
LABELS = ("both", "first", "second")


@dataclass(frozen=True)
class Observations:
    """Counts that Spark takes on the way: of the rows read and of the rows written."""

    read: Observation
    written: Observation


@dataclass(frozen=True)
class Result:
    """What an analysis wrote.

    Attributes:
        rows: raw rows read, by topic.
        windows: rows of the table.
        alerts: rows by label.
        path, sha256: the table.

    """

    rows: dict[str, int]
    windows: int
    alerts: dict[str, int]
    path: Path
    sha256: str


def open_session(name: str) -> SparkSession:
    """Return a session with the settings that correctness depends on.

    Master, addresses and memory are spark-submit's, by `--conf`.
    """
    spark = SparkSession.builder.appName(name).getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    spark.conf.set("spark.sql.ansi.enabled", "true")
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    # One shuffle with a fixed number of partitions: adapting it costs more than it saves.
    spark.conf.set("spark.sql.adaptive.enabled", "false")
    spark.conf.set("spark.sql.decimalOperations.allowPrecisionLoss", "true")
    return spark


def versions(spark: SparkSession) -> dict[str, str]:
    """Return the versions of Spark and Java."""
    query = "SELECT java_method('java.lang.System', 'getProperty', 'java.version')"
    (java,) = spark.sql(query).collect()
    return {"spark_version": spark.version, "java_version": str(java[0])}


def analyze(
    spark: SparkSession, run: Run, config: Config, group: Group, status: Callable[[str], None]
) -> Result:
    """Compute a group's alert table and write it to the run's directory.

    Guarantee: the table is there whole or not at all; an earlier one is replaced only by a
    whole one.

    Raises:
        AnalysisError: raw data is missing, not whole or corrupt, or Spark failed.
        StorageError: the table cannot be written.

    """
    topics = find_topics(run, group)
    path = run.directory / group.output_file
    parts = run.directory / f".{group.output_file}.parts"
    seen = Observations(Observation(), Observation())
    status(f"reading {sum(topic.rows for topic in topics)} rows")
    try:
        raw = (_raw(spark, topics[0]), _raw(spark, topics[1]))
        lines = _plan(raw, config, group, seen)
        lines.write.mode("overwrite").text(str(parts))
        _check_read(seen.read.get, topics, config)
        counts = seen.written.get
        status(f"writing {counts['windows']} windows")
        sha256 = table.join(sorted(parts.glob("part-*")), path, _header(group))
    except PySparkException as error:
        raise AnalysisError(
            f"group {group.name}: Spark failed: {one_line(error)}; see this job's log"
        ) from error
    except Py4JError as error:
        raise AnalysisError(
            f"group {group.name}: Spark's Java process failed: {one_line(error)}; see this job's "
            "log and the memory of this host"
        ) from error
    except OSError as error:
        raise storage_error(path, error) from error
    finally:
        shutil.rmtree(parts, ignore_errors=True)
    rows = {topic.metric.topic: topic.rows for topic in topics}
    return Result(rows, counts["windows"], _alerts(group, counts), path, sha256)


def _alerts(group: Group, counts: dict[str, int]) -> dict[str, int]:
    """Return the rows by label; two that read alike are counted together."""
    alerts: dict[str, int] = {}
    for name in LABELS:
        text = getattr(group.labels, name)
        alerts[text] = alerts.get(text, 0) + counts[name]
    return alerts


def _plan(
    raw: tuple[DataFrame, DataFrame], config: Config, group: Group, seen: Observations
) -> DataFrame:
    """Return the table's lines; each part that is written holds whole servers, sorted."""
    first, second = (
        analysis.readings(rows, metric, config.start) for metric, rows in enumerate(raw)
    )
    rows = (
        first.unionByName(second)
        .repartition(PARTITIONS, "server_id")
        .observe(
            seen.read,
            F.count_if("bad").alias("bad"),
            *(F.count_if(F.col("metric") == i).alias(f"rows_{i}") for i in (0, 1)),
        )
    )
    windows = config.windows()
    values = analysis.windowed(analysis.pairs(rows), windows, group)
    rows_of_table = (
        analysis.labelled(values, group, config.thresholds)
        .observe(
            seen.written,
            F.count(F.lit(1)).alias("windows"),
            *(F.count_if(F.col("label") == name).alias(name) for name in LABELS),
        )
        .sortWithinPartitions("server_id", "window_start")
    )
    return analysis.table_lines(rows_of_table, windows, group, config.start)


def _raw(spark: SparkSession, topic: Topic) -> DataFrame:
    return spark.read.csv(
        [str(path) for path in topic.files],
        schema=analysis.RAW_SCHEMA,
        columnNameOfCorruptRecord="corrupt",
        header=True,
        multiLine=True,  # a server id may hold a line end
        lineSep="\n",
        quote='"',
        escape='"',
        mode="PERMISSIVE",
    )


def _check_read(found: dict[str, int], topics: tuple[Topic, Topic], config: Config) -> None:
    if found["bad"] or any(found[f"rows_{i}"] != t.rows for i, t in enumerate(topics)):
        raise corrupt_row(topics, config.time_form())


def _header(group: Group) -> str:
    outputs = [metric.output_column for metric in group.metrics]
    return ",".join(["server_id", "window_start", "window_end", *outputs, "alert"]) + "\n"
