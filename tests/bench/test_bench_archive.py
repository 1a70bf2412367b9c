"""A job really starts from the archive of classes that was rehearsed, with Spark's own options."""

import importlib.util
import os
import subprocess
from pathlib import Path

import pytest

from tests.bench import spark, spark_data
from tests.bench.spark_processes import Command, CommandFailedError, measure_together
from tests.support.app_settings import settings, write_settings


@pytest.mark.long
def test_a_job_takes_its_classes_from_the_rehearsed_archive(tmp_path: Path) -> None:
    """Nearly all: Java refuses an archive without a word when the class path is another one."""
    archive = spark.rehearse(tmp_path / "archive")
    job = spark.job(spark_data.write_run(tmp_path / "run", 8_640), "net_disk", archive)
    log = tmp_path / "classes.log"
    logged = dict(job.environment) | {"JAVA_TOOL_OPTIONS": f"-Xlog:class+load:file={log}"}
    measure_together([Command(job.arguments, job.directory, logged)])
    lines = log.read_text(encoding="utf-8").splitlines()
    shared = [line for line in lines if "shared objects file (top)" in line]
    from_jars = [line for line in lines if "/pyspark/jars/" in line and line.endswith(".jar")]
    assert len(shared) > 10_000
    assert len(from_jars) < len(shared) / 20


def test_java_gets_the_options_that_spark_submit_gives_it(tmp_path: Path) -> None:
    """A newer Spark may need others; they stand in the role because it starts Java itself."""
    found = importlib.util.find_spec("pyspark")
    assert found is not None
    assert found.origin is not None
    home = Path(found.origin).parent
    launcher = ["java", "-cp", f"{home}/jars/*", "org.apache.spark.launcher.Main"]
    submit = ["org.apache.spark.deploy.SparkSubmit", "--driver-memory", "1g", "app.py"]
    said = subprocess.run(
        [*launcher, *submit],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"SPARK_HOME": str(home), "SPARK_SCALA_VERSION": "2.13"},
    ).stdout
    words = [word for word in said.strip().split("\0") if word.strip()]
    theirs = words[words.index("-Xmx1g") + 1 : words.index(submit[0])]
    job = list(
        spark.job(spark_data.write_run(tmp_path, 8_640), "cpu_mem", tmp_path / "a").arguments
    )
    assert "-XX:+IgnoreUnrecognizedVMOptions" in theirs
    assert job[job.index(theirs[0]) : job.index(submit[0])] == theirs


@pytest.mark.long
def test_a_heap_too_small_for_java_fails_the_rehearsal(tmp_path: Path) -> None:
    """Before any run, with Java's reason."""
    config = write_settings(tmp_path / "config.yml", settings(tmp_path / "data"))
    command = spark.rehearsal(config, tmp_path / "classes.jsa")
    words = ["-Xmx10m" if word == "-Xmx1g" else word for word in command.arguments]
    with pytest.raises(CommandFailedError, match="OutOfMemoryError"):
        measure_together([Command(words, command.directory, command.environment)])
