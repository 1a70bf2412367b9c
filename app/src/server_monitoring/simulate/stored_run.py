"""A small made-up run, so that a Spark job can be tried without real data."""

from dataclasses import replace
from pathlib import Path

from server_monitoring.host.runs import Run
from server_monitoring.model.timestamps import CLOCK, ISO, SECONDS_PER_DAY
from server_monitoring.model.values import canonical_value
from server_monitoring.model.wire import partition_for
from server_monitoring.settings.config import Config
from server_monitoring.simulate.plan import Plan, Simulation
from server_monitoring.store.segment import Segment, csv_lines
from server_monitoring.store.sidecar import Sidecar

RUN_ID = "rehearsal"
SERVERS = 20
PARTITIONS = 3
# At least this long, or a window and the slide to the next where that is longer.
SECONDS = 600
_TIMES = 60


def prepare(config: Config, directory: Path) -> tuple[Config, Run]:
    """Write a run below the empty `directory`, as its consumers would have stored it.

    Returns:
        The configuration, with the run's data directory and a start that leaves room for the
        data; and the run.

    Raises:
        StorageError: the disk is full, or the directory cannot be written.

    """
    start = config.start if config.time_form() is ISO else CLOCK.epoch
    config = replace(config, data_dir=directory, start=start)
    run = Run(directory, RUN_ID)
    run.create()
    rows = list(_simulation(config).rows())
    for place, metric in enumerate(config.metrics()):
        for partition in range(PARTITIONS):
            own = [
                (ts, server_id, canonical_value(values[place]))
                for ts, server_id, *values in rows
                if partition_for(server_id, PARTITIONS) == partition
            ]
            path = run.segment(metric.topic, partition)
            sidecar = Sidecar(RUN_ID, metric.topic, RUN_ID, partition, 0)
            segment = Segment(path, metric.column, sidecar)
            segment.append(csv_lines(own), len(own), len(own), len(own))
            segment.store()
            segment.close()
    return config, run


def _simulation(config: Config) -> Simulation:
    seconds = max(SECONDS, config.window_seconds + config.slide_seconds)
    if config.time_form() is not ISO:
        seconds = min(seconds, SECONDS_PER_DAY)
    interval = max(1, min(config.window_seconds, seconds // _TIMES))
    return Simulation(config, Plan(SERVERS, seconds, interval, incidents=0, seed=1))
