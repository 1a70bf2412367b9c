"""The rehearsal runs what a job runs, under any settings, and leaves nothing behind."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from server_monitoring import cli
from server_monitoring.analysis import job
from server_monitoring.simulate import stored_run
from server_monitoring.store.raw import find_topics

from tests.spark.spark_lab import Lab
from tests.support.app_settings import write_settings

SOURCE = Path(cli.__file__).parents[1]


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"start": ""},
        {"start": "23:59:59"},
        {"start": "2024-05-01T20:52:05+02:00"},
        {"window_seconds": 86_400, "slide_seconds": 86_400},
        {"window_seconds": 1, "slide_seconds": 1},
    ],
)
def test_a_made_up_run_is_whole_under_any_settings(
    lab: Lab, tmp_path: Path, changed: dict[str, Any]
) -> None:
    """Both topics of each group have rows in all partitions, and windows come out of them."""
    lab.values |= changed
    config, run = stored_run.prepare(lab.config(), tmp_path / "made-up")
    for group in config.groups.values():
        for topic in find_topics(run, group):
            assert len(topic.files) == stored_run.PARTITIONS
            assert topic.rows >= stored_run.SERVERS * 30
        result = job.analyze(lab.session, run, config, group, lambda _: None)
        assert result.windows >= stored_run.SERVERS
        assert not any(result.corrupt_rows.values())
    assert not lab.run.data_dir.exists()


def rehearse(lab: Lab, tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the command as spark-submit does, in an empty folder for temporary files."""
    config = write_settings(tmp_path / "config.yml", lab.values)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    own = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(SOURCE),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "TMPDIR": str(temporary),
    }
    submit = str(Path(sys.executable).with_name("spark-submit"))
    app = [str(SOURCE / "server_monitoring" / "__main__.py"), "rehearse", "--config", str(config)]
    done = subprocess.run(
        [submit, "--master", "local[2]", *options, *app],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | own,
    )
    assert not [path for path in temporary.iterdir() if "rehearsal" in path.name]
    return done


@pytest.mark.long
def test_rehearse_tries_every_group_and_leaves_nothing_behind(lab: Lab, tmp_path: Path) -> None:
    """One line says what was tried."""
    done = rehearse(lab, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("rehearsed cpu_mem, net_disk with Spark ")
    assert done.stdout.count("\n") == 1
    assert not lab.run.data_dir.exists()


def test_a_heap_too_small_for_spark_is_one_line_that_names_the_setting(
    lab: Lab, tmp_path: Path
) -> None:
    """Java starts with 300 MiB, Spark does not; there is no traceback."""
    done = rehearse(lab, tmp_path, "--driver-memory", "300m")
    assert done.returncode == 7
    # Java passes on all that Python says as its own standard output.
    [error] = done.stdout.splitlines()
    assert error.startswith("server-monitoring: error: Spark did not start: ")
    assert "System memory" in error
    assert "pipeline_spark_driver_memory" in error
    assert "Traceback" not in done.stderr


def test_the_session_has_what_makes_it_start_fast(spark: SparkSession) -> None:
    """A setting that only a new session takes."""
    assert spark.conf.get("spark.python.sql.dataFrameDebugging.enabled") == "false"
