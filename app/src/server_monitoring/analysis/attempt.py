"""Analyze a group's part of one run: with a Spark of its own, its status lines and its summary."""

from typing import TYPE_CHECKING

from server_monitoring import __version__
from server_monitoring.analysis.waiting import wait_for_consumer
from server_monitoring.errors import AnalysisError
from server_monitoring.host import notify
from server_monitoring.host.durable import write_json
from server_monitoring.host.full_disk import FullDisk, check_space
from server_monitoring.host.runs import Day, Run
from server_monitoring.host.summary import Timer
from server_monitoring.model.groups import Group
from server_monitoring.settings.config import Config
from server_monitoring.store.raw import check_stored, find_topics

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from server_monitoring.analysis import job

# On a full disk, within `full_disk_timeout`: each costs the time of a job.
MOST_TRIES = 10


def analyze(config: Config, run: Run, group: Group, wait: float = 0) -> None:
    """Write a group's alert table, and the summary to `analyze-<group>.json`, of a run or a day.

    With a `wait`, Spark starts at once, and the group's consumer on this host may take that many
    seconds more to reach its end; they do not count in the summary's `seconds`.

    Raises:
        AnalysisError, StorageError: see `job.analyze`; DiskFullError only once the disk has been
            full for as long as the configuration allows.

    """
    timer = Timer()
    if isinstance(run, Day):
        check_stored(run, group)
        run.create()
    elif not wait:
        find_topics(run, group)  # before Spark takes its seconds to start
    _status("starting Spark")
    # Spark is not there in the pipeline's venv.
    from server_monitoring.analysis import job  # noqa: PLC0415

    local, patience = job.local_directories(), config.full_disk_timeout
    pause = max(1, patience // MOST_TRIES)
    full_disk = FullDisk([run.directory, *local], patience, _status, pause=pause)

    def session() -> "SparkSession":
        # Spark's process ends without a word when it cannot make its directories.
        for path in local:
            check_space(path)
        return job.open_session(f"server-monitoring analyze {group.name} {run.run_id}")

    def attempt() -> tuple[job.Result, dict[str, str]]:
        spark = session()
        try:
            return job.analyze(spark, run, config, group, _status), job.versions(spark)
        finally:
            spark.stop()  # and what it wrote to its local directories is gone before a wait

    if wait:
        early = full_disk.retry(session)  # the first attempt finds it open
        try:
            wait_for_consumer(run, group, wait, _status)
        except AnalysisError:
            early.stop()
            raise
        timer = Timer()
    result, versions = full_disk.retry(attempt)
    summary = _summary(run, group, result) | timer.span() | versions
    summary["app_version"] = __version__
    path = run.directory / f"analyze-{group.name}.json"
    full_disk.retry(lambda: write_json(path, summary))
    if any(result.corrupt_rows.values()) or any(result.lost_rows.values()):
        _status(
            f"{sum(result.corrupt_rows.values())} corrupt lines are in corrupt-{group.name}.csv; "
            f"{sum(result.lost_rows.values())} stored rows are lost"
        )
    _status(f"wrote {result.windows} windows to {result.path.name}")


def _summary(run: Run, group: Group, result: "job.Result") -> dict[str, object]:
    """Return what the analysis found; when, and by what, is its caller's to add."""
    return {
        "run_id": run.run_id,
        **({"day": run.day.isoformat()} if isinstance(run, Day) else {}),
        "group": group.name,
        "rows": result.rows,
        "corrupt_rows": result.corrupt_rows,
        "lost_rows": result.lost_rows,
        "repeated_rows": result.repeated_rows,
        "rows_before_start": result.rows_before_start,
        "rows_alone": result.rows_alone,
        "windows": result.windows,
        "windows_before_start": result.windows_before_start,
        "windows_of_one_metric": result.windows_of_one_metric,
        "alerts": result.alerts,
        "output_file": result.path.name,
        "sha256": result.sha256,
        "times_like": result.like,
    }


def _status(line: str) -> None:
    notify.status(line)
