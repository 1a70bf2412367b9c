"""What the measurements share: a broker on loopback, data sets, and the app's commands."""

import json
import os
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.processes import Watched
from tests.kafka.kafka_broker import Broker, Pipeline, free_port, make_pipeline
from tests.support.app_settings import write_settings
from tests.support.project import PROJECT

HEAP = "1g"
PARTITIONS = 3
TIMEOUT = 600.0
GROUPS = ("cpu_mem", "net_disk")
METRICS = 4
RUN_ID = "bench"
SHIPPED = PROJECT / "files" / "datasets" / "alibaba2018_days_3-5.csv"


def write_dataset(path: Path, rows: int) -> None:
    """Write the shipped data set's rows, again and again, each time of three other servers."""
    header, *lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    content = [line.split(",", 2) for line in lines]
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{header}\n")
        for row in range(rows):
            times, place = divmod(row, len(content))
            ts, server_id, values = content[place]
            file.write(f"{ts},{server_id}-{times},{values}\n")


# Clients that come by the slow port are told to stay there.
PROPERTIES = """\
listeners=PLAINTEXT://127.0.0.1:{port},SLOW://127.0.0.1:{listener},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SLOW://127.0.0.1:{slow},CONTROLLER://127.0.0.1:{controller}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SLOW:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
"""


@dataclass
class Lab:
    """A broker and what was made for it, until the end of the benchmark.

    Attributes:
        slow_port: where clients find the broker behind a throttle.
        slow_listener: where the throttle finds it.

    """

    directory: Path
    broker: Broker
    slow_port: int
    slow_listener: int
    _datasets: dict[int, Path] = field(default_factory=dict)

    def dataset(self, rows: int) -> Path:
        """Return a data set of `rows` rows."""
        if rows not in self._datasets:
            path = self.directory / f"dataset-{rows}.csv"
            write_dataset(path, rows)
            self._datasets[rows] = path
        return self._datasets[rows]

    def pipeline(self, client: str, **settings: Any) -> Pipeline:
        """Return a configuration with topics of its own."""
        directory = self.directory / uuid.uuid4().hex[:8]
        directory.mkdir()
        made = make_pipeline(self.broker, directory, PARTITIONS, client)
        made.values.update(settings)
        write_settings(made.config, made.values)
        return made

    def environment(self) -> dict[str, str]:
        """Return the environment of scripts that use the app's package."""
        return os.environ | {"PYTHONPATH": str(PROJECT / "app" / "src")}


def topics(pipeline: Pipeline, group: str | None = None) -> list[str]:
    """Return the topics of a group, or of all."""
    groups = pipeline.values["groups"]
    return [
        metric["topic"]
        for name, content in groups.items()
        if group in (None, name)
        for metric in content["metrics"]
    ]


def start_producer(pipeline: Pipeline, dataset: Path, *more: str) -> Watched:
    """Start the app's producer."""
    command = pipeline.command("produce", "--run-id", RUN_ID, "--dataset", str(dataset), *more)
    return Watched(command, pipeline.environment())


def start_consumer(pipeline: Pipeline, group: str) -> Watched:
    """Start a consumer of the app."""
    command = pipeline.command("consume", "--run-id", RUN_ID, "--group", group)
    return Watched(command, pipeline.environment())


def publish_end(pipeline: Pipeline) -> None:
    """Tell the consumers where the run ends."""
    directory = pipeline.run_directory(RUN_ID)
    summary = json.loads((directory / "produce.json").read_text(encoding="utf-8"))
    part = directory / "end_offsets.part"
    part.write_text(json.dumps(summary["end_offsets"]), encoding="utf-8")
    part.rename(directory / "end_offsets.json")


def sidecars(pipeline: Pipeline) -> Iterator[dict[str, Any]]:
    """Yield the sidecars of the run's segments."""
    for path in pipeline.run_directory(RUN_ID).glob("raw/*/*.json"):
        yield json.loads(path.read_text(encoding="utf-8"))


def stored_rows(pipeline: Pipeline) -> int:
    """Return the rows that are durable."""
    return sum(int(sidecar["rows"]) for sidecar in sidecars(pipeline))


def start_script(script: str, *arguments: str, lab: Lab) -> Watched:
    """Start a script of this folder."""
    command = [sys.executable, str(Path(__file__).with_name(script)), *arguments]
    return Watched(command, lab.environment())


@contextmanager
def open_lab(kafka_home: Path) -> Iterator[Lab]:
    """Start a broker with a heap of 1 GiB on loopback; it and all data are gone at the end."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        (directory / "kafka").mkdir()
        broker = Broker(kafka_home, directory / "kafka", free_port(), HEAP)
        slow_port, listener, controller = free_port(), free_port(), free_port()
        broker.format(
            PROPERTIES.format(
                port=broker.port, slow=slow_port, listener=listener, controller=controller
            )
        )
        broker.start()
        try:
            yield Lab(directory, broker, slow_port, listener)
        finally:
            broker.stop(hard=True)
