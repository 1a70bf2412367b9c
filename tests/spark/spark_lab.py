"""A run's raw data, made by a test, and its analysis."""

import os
import sys
from pathlib import Path

from pyspark.sql import SparkSession
from server_monitoring.analysis import job
from server_monitoring.host.runs import Run
from server_monitoring.model.timestamps import CLOCK
from server_monitoring.model.values import canonical_value
from server_monitoring.model.wire import Reading, partition_for
from server_monitoring.settings.config import Config, load
from server_monitoring.sources.dataset import Dataset
from server_monitoring.sources.rows import Row
from server_monitoring.store.segment import Segment, csv_lines
from server_monitoring.store.sidecar import Sidecar

from tests.support.app_settings import settings, write_settings
from tests.support.project import PROJECT

# What a test's session and jobs have, beside where they work.
OPTIONS = (
    "--conf spark.ui.enabled=false --conf spark.driver.host=127.0.0.1 "
    "--conf spark.driver.bindAddress=127.0.0.1"
)
Readings = list[tuple[str, str, str]]


def environment(*options: str) -> dict[str, str]:
    """Return what a process of the app has in which Spark starts with one core, without systemd."""
    return {k: v for k, v in os.environ.items() if k != "NOTIFY_SOCKET"} | {
        "PYTHONPATH": str(PROJECT / "app" / "src"),
        "PYSPARK_SUBMIT_ARGS": f"--master local[1] {OPTIONS} {' '.join(options)} pyspark-shell",
    }


class Lab:
    """A run's raw data, made by a test, and its analysis."""

    def __init__(self, directory: Path, session: SparkSession) -> None:
        """Use the default settings, with windows from midnight on."""
        self.directory = directory
        self.session = session
        self.values = settings(directory / "data")
        self.values["start"] = "00:00:00"
        self.run = Run(directory / "data", "r1")

    def config(self) -> Config:
        """Return the settings as they are now."""
        return load(write_settings(self.directory / "config.yml", self.values))

    def store(self, topic: str, readings: Readings, partition: int = 0) -> Path:
        """Write a segment as a consumer does; values become canonical."""
        metrics = [m for g in self.values["groups"].values() for m in g["metrics"]]
        column = next(m["column"] for m in metrics if m["topic"] == topic)
        path = self.run.raw / topic / f"{partition}.csv"
        segment = Segment(path, column, Sidecar("r1", topic, "id", partition, 0))
        rows = [Reading(ts, server, canonical_value(value)) for ts, server, value in readings]
        segment.append(csv_lines(rows), len(rows), len(rows), len(rows))
        segment.store()
        segment.close()
        return path

    def command(self, group: str) -> list[str]:
        """Return the command that analyzes a group in a process of its own."""
        config = write_settings(self.directory / "config.yml", self.values)
        analyze = ["analyze", "--run-id", "r1", "--group", group, "--config", str(config)]
        return [sys.executable, "-m", "server_monitoring", *analyze]

    def analyze(self, group: str) -> job.Result:
        """Run the analysis of a group in this process."""
        config = self.config()
        self.run.create()
        return job.analyze(self.session, self.run, config, config.group(group), lambda _: None)


def store_dataset(lab: Lab, path: Path, partitions: int) -> None:
    """Store a whole data set as consumers would."""
    metrics, form = lab.config().metrics(), lab.config().time_form() or CLOCK
    with Dataset(path, [m.column for m in metrics], form) as dataset:
        rows = [row for row in dataset.read() if isinstance(row, Row)]
    for place, metric in enumerate(metrics):
        for partition in range(partitions):
            readings = [
                (row.ts, row.server_id, row.values[place])
                for row in rows
                if row.values[place] and partition_for(row.server_id, partitions) == partition
            ]
            lab.store(metric.topic, readings, partition)
