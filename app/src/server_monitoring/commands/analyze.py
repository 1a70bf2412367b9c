"""`server-monitoring analyze`: compute a group's alert table with Spark."""

import argparse

from server_monitoring import __version__
from server_monitoring.commands import common
from server_monitoring.host import notify
from server_monitoring.host.durable import write_json
from server_monitoring.host.full_disk import FullDisk, check_space
from server_monitoring.host.summary import Timer
from server_monitoring.store.raw import find_topics

HELP = "compute a metric group's alert table from its raw segments, with Spark"
EXAMPLE = (
    "spark-submit --master local[2] .../server_monitoring/__main__.py "
    "analyze --run-id 2024-05-01 --group cpu_mem"
)
# On a full disk, within `full_disk_timeout`: each costs the time of a job.
MOST_TRIES = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    common.add_run_id(parser)
    common.add_group(parser)
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Analyze one group and write analyze-GROUP.json."""
    config = common.load_config(args)
    group = config.group(args.group)
    run_files = common.open_run(args, config)
    timer = Timer()
    find_topics(run_files, group)  # before Spark takes its seconds to start
    _status("starting Spark")
    # Spark is not there in the pipeline's venv.
    from server_monitoring.analysis import job  # noqa: PLC0415

    local, patience = job.local_directories(), config.full_disk_timeout
    pause = max(1, patience // MOST_TRIES)
    full_disk = FullDisk([run_files.directory, *local], patience, _status, pause=pause)

    def attempt() -> tuple[job.Result, dict[str, str]]:
        # Spark's process ends without a word when it cannot make its directories.
        for path in local:
            check_space(path)
        spark = job.open_session(f"server-monitoring analyze {group.name} {args.run_id}")
        try:
            return job.analyze(spark, run_files, config, group, _status), job.versions(spark)
        finally:
            spark.stop()  # and what it wrote to its local directories is gone before a wait

    result, versions = full_disk.retry(attempt)
    summary = {
        "run_id": args.run_id,
        "group": group.name,
        "rows": result.rows,
        "corrupt_rows": result.corrupt_rows,
        "lost_rows": result.lost_rows,
        "windows": result.windows,
        "alerts": result.alerts,
        "output_file": result.path.name,
        "sha256": result.sha256,
        **timer.span(),
        **versions,
        "app_version": __version__,
    }
    path = run_files.directory / f"analyze-{group.name}.json"
    full_disk.retry(lambda: write_json(path, summary))
    if any(result.corrupt_rows.values()) or any(result.lost_rows.values()):
        _status(
            f"{sum(result.corrupt_rows.values())} corrupt lines are in corrupt-{group.name}.csv; "
            f"{sum(result.lost_rows.values())} stored rows are lost"
        )
    _status(f"wrote {result.windows} windows to {result.path.name}")
    return 0


def _status(line: str) -> None:
    notify.tell(f"STATUS={line}", line)
