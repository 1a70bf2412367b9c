"""One Spark session for all tests, bound to loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from server_monitoring.analysis import job

from tests.spark.spark_lab import OPTIONS, Lab

SUBMIT = (
    f"--master local[2] --driver-memory 1g {OPTIONS} --conf spark.log.level=ERROR pyspark-shell"
)


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """Start Spark once, by the app's own function, with what spark-submit would give it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_SUBMIT_ARGS", SUBMIT)
        session = job.open_session("tests")
        yield session
        session.stop()


@pytest.fixture
def lab(tmp_path: Path, spark: SparkSession) -> Lab:
    """Return a run without data."""
    return Lab(tmp_path, spark)
