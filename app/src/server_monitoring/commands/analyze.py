"""`server-monitoring analyze`: compute a group's alert table with Spark."""

import argparse

from server_monitoring import __version__, notify
from server_monitoring.commands import common
from server_monitoring.durable import write_json
from server_monitoring.raw import find_topics
from server_monitoring.summary import Timer

HELP = "compute a metric group's alert table from its raw segments, with Spark"
EXAMPLE = (
    "spark-submit --master local[2] .../server_monitoring/__main__.py "
    "analyze --run-id 2024-05-01 --group cpu_mem"
)


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

    def status(line: str) -> None:
        notify.tell(f"STATUS={line}", line)

    find_topics(run_files, group)  # before Spark takes its seconds to start
    status("starting Spark")
    # Spark is not there in the pipeline's venv.
    from server_monitoring import job  # noqa: PLC0415

    spark = job.open_session(f"server-monitoring analyze {group.name} {args.run_id}")
    try:
        result = job.analyze(spark, run_files, config, group, status)
        versions = job.versions(spark)
    finally:
        spark.stop()
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
    write_json(run_files.directory / f"analyze-{group.name}.json", summary)
    if any(result.corrupt_rows.values()) or any(result.lost_rows.values()):
        status(
            f"{sum(result.corrupt_rows.values())} corrupt lines are in corrupt-{group.name}.csv; "
            f"{sum(result.lost_rows.values())} stored rows are lost"
        )
    status(f"wrote {result.windows} windows to {result.path.name}")
    return 0
