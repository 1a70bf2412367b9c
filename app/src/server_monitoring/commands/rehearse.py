"""`server-monitoring rehearse`: run the Spark job of every group on made-up data."""

import argparse
import tempfile
from pathlib import Path

from server_monitoring.commands import common
from server_monitoring.simulate import stored_run

HELP = "try the Spark job of every metric group on a few made-up rows, and leave nothing behind"
EXAMPLE = "spark-submit --master local[2] .../server_monitoring/__main__.py rehearse"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    """Analyze a made-up run in one session, and print one line.

    Java has then loaded the classes that a job needs, and can archive them for later jobs.
    """
    config = common.load_config(args)
    # Spark is not there in the pipeline's venv.
    from server_monitoring.analysis import job  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="server-monitoring-rehearsal-") as name:
        config, run = stored_run.prepare(config, Path(name))
        spark = job.open_session("server-monitoring rehearse")
        try:
            results = [
                job.analyze(spark, run, config, group, lambda _: None)
                for group in config.groups.values()
            ]
            versions = job.versions(spark)
        finally:
            spark.stop()
    print(
        f"rehearsed {', '.join(config.groups)} with Spark {versions['spark_version']} on Java "
        f"{versions['java_version']}: {sum(result.windows for result in results)} windows"
    )
    return 0
