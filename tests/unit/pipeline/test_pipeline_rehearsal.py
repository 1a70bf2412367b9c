"""A rehearsal that fails tells why on one line, in Java's words or the app's."""

from typing import Any

import pytest
from plugins import load

problem = load("roles/pipeline/filter_plugins/pipeline_rehearsal.py").rehearsal_problem

# What Java 17 says when started with 10m; with 1m; with an option that it does not know.
HEAP = (
    "WARNING: Using incubator modules: jdk.incubator.vector\n"
    "Error: A JNI error has occurred, please check your installation and try again\n"
    'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space\n'
    "\tat java.base/java.util.zip.ZipFile$Source.initCEN(ZipFile.java:1666)\n"
)
NO_HEAP = "Error occurred during initialization of VM\nToo small maximum heap\n"
APP = (
    "Using Spark's default log4j profile\n"
    "server-monitoring: error: Spark did not start: System memory 310378496 must be at least 4718\n"
)
THROWN = (
    'Exception in thread "main" org.apache.spark.SparkException: no python3\n'
    "\tat org.apache.spark.deploy.PythonRunner$.main(PythonRunner.scala:96)\n"
    "Caused by: java.io.IOException: none\n\t... 12 more\n"
)


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        ({"rc": 1, "stderr": HEAP}, "java.lang.OutOfMemoryError: Java heap space"),
        ({"rc": 1, "stdout": NO_HEAP}, "status 1: Too small maximum heap"),
        (
            {"rc": 7, "stdout": APP, "stderr": HEAP},
            "Spark did not start: System memory 310378496 must be at least 4718",
        ),
        ({"rc": 1, "stderr": THROWN}, "org.apache.spark.SparkException: no python3"),
        ({"rc": 0, "stdout": "rehearsed"}, "Java ended without an archive of its classes"),
        ({"rc": 2, "msg": "No such file"}, "status 2: No such file"),
        ({"rc": 137}, "status 137: it said nothing"),
    ],
)
def test_reason_is_one_line(done: dict[str, Any], expected: str) -> None:
    """Neither a trace nor the last of many lines."""
    assert problem(done) == expected
