"""One Spark session for all tests, bound to loopback."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "app" / "src"), str(ROOT / "tests"), str(Path(__file__).parent)]

from server_monitoring import job  # noqa: E402 - found by the line above
from spark_lab import Lab  # noqa: E402


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """Start Spark once, with the app's own settings on top."""
    options = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.log.level": "ERROR",
        "spark.driver.memory": "1g",
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in options.items():
        builder = builder.config(name, value)
    builder.getOrCreate()
    session = job.open_session("tests")
    yield session
    session.stop()


@pytest.fixture
def lab(tmp_path: Path, spark: SparkSession) -> Lab:
    """Return a run without data."""
    return Lab(tmp_path, spark)
