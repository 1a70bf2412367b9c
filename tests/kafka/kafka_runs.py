"""Data sets, consumers and stored rows: what the tests with a broker share."""

import csv
import json
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition
from server_monitoring.broker.limits import CLIENTS, CONFLUENT, KAFKA_PYTHON

from tests.kafka.kafka_broker import PATIENCE, Pipeline

Running = AbstractContextManager[subprocess.Popen[str]]
HEADER = "ts,server_id,cpu_pct,mem_pct,net_in,disk_io"
IDS = ["a", "b,c", 'd"e', "f g", "Zürich 💡", "server-6", "server-7"]


def by_turns(name: str, *values: Any, indirect: bool = False) -> pytest.MarkDecorator:
    """Try each value of a parameter with one client, in turn; the other pairs are long tests.

    Args:
        name: of the parameter.
        values: of it.
        indirect: whether it is a fixture's, as the client is.

    """
    cases = [
        pytest.param(value, client, marks=[pytest.mark.long] if (i + j) % 2 else [])
        for i, value in enumerate(values)
        for j, client in enumerate(CLIENTS)
    ]
    fixtures = [name, "client"] if indirect else ["client"]
    return pytest.mark.parametrize((name, "client"), cases, indirect=fixtures)


# Each client and each way to the broker.
BY_EACH_WAY = by_turns("listener", "secure", "plain", indirect=True)
# What hardly depends on the client.
BY_ONE_CLIENT = pytest.mark.parametrize(
    "client", [KAFKA_PYTHON, pytest.param(CONFLUENT, marks=pytest.mark.long)], indirect=True
)


def write_dataset(path: Path, rows: int) -> list[list[str]]:
    """Write a data set of canonical values and return its rows."""
    content = [
        [
            f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}",
            IDS[i % len(IDS)],
            *(f"{i}.{column}5" for column in range(1, 5)),
        ]
        # All of one day: a server's clock may not go back.
        for i, second in enumerate(at * 86_400 // max(rows, 86_400) for at in range(rows))
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER.split(","))
        writer.writerows(content)
    return content


@contextmanager
def running(pipeline: Pipeline, ready: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command once its first line begins with `ready`, and end it if the test does not."""
    process = subprocess.Popen(
        pipeline.command(*arguments),
        stderr=subprocess.PIPE,
        text=True,
        env=pipeline.environment(),
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        assert line.startswith(ready), line
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def consumer(pipeline: Pipeline, run_id: str, group: str) -> Running:
    """Run a consumer that is ready."""
    return running(pipeline, "ready: waiting", "consume", "--run-id", run_id, "--group", group)


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for a consumer's end; return what it said."""
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    return err


def producer(pipeline: Pipeline, run_id: str, dataset: Path) -> Running:
    """Run a producer that has begun to send."""
    return running(pipeline, "ready: ", "produce", "--run-id", run_id, "--dataset", str(dataset))


def publish_end(pipeline: Pipeline, run_id: str) -> dict[str, dict[str, int]]:
    """Give the consumers the producer's end offsets."""
    directory = pipeline.run_directory(run_id)
    summary = json.loads((directory / "produce.json").read_text())
    (directory / "end_offsets.json").write_text(json.dumps(summary["end_offsets"]))
    ends: dict[str, dict[str, int]] = summary["end_offsets"]
    return ends


def run_through(pipeline: Pipeline, run_id: str, dataset: Path) -> str:
    """Run everything once, undisturbed; return what the producer said."""
    with (
        consumer(pipeline, run_id, "cpu_mem") as first,
        consumer(pipeline, run_id, "net_disk") as second,
    ):
        done = pipeline.run("produce", "--run-id", run_id, "--dataset", str(dataset))
        assert done.returncode == 0, done.stderr
        publish_end(pipeline, run_id)
        finish(first)
        finish(second)
    return done.stderr


def stored(pipeline: Pipeline, run_id: str, topic: str) -> list[list[str]]:
    """Return a topic's stored rows, of all partitions."""
    rows = []
    for path in sorted((pipeline.run_directory(run_id) / "raw" / topic).glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows += list(csv.reader(file, strict=True))[1:]
    return rows


def topics(pipeline: Pipeline) -> dict[str, int]:
    """Return each topic with the place of its value in a row."""
    metrics = [m for g in pipeline.values["groups"].values() for m in g["metrics"]]
    return {metric["topic"]: HEADER.split(",").index(metric["column"]) for metric in metrics}


def end_offsets(pipeline: Pipeline) -> dict[TopicPartition, int]:
    """Return the end offsets of all topics."""
    reader = KafkaConsumer(bootstrap_servers=pipeline.broker.address)
    found: dict[TopicPartition, int] = reader.end_offsets(
        [
            TopicPartition(topic, partition)
            for topic in topics(pipeline)
            for partition in reader.partitions_for_topic(topic) or ()
        ]
    )
    reader.close()
    return found


def check_all_stored(pipeline: Pipeline, run_id: str, rows: list[list[str]]) -> None:
    """Each topic has exactly the data set's rows, and a server's rows are in its order."""
    for topic, place in topics(pipeline).items():
        found = stored(pipeline, run_id, topic)
        wanted = [[row[0], row[1], row[place]] for row in rows]
        assert sorted(found) == sorted(wanted)
        for server_id in IDS:
            assert [r for r in found if r[1] == server_id] == [
                r for r in wanted if r[1] == server_id
            ]
