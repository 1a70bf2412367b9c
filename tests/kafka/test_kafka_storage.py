"""What a consumer refuses, so that no row of a run is lost or stored twice without a word."""

import json
import time
from pathlib import Path

from kafka.admin import KafkaAdminClient

from tests.kafka.kafka_broker import Pipeline, create_topics
from tests.kafka.kafka_runs import (
    BY_ONE_CLIENT,
    consumer,
    finish,
    publish_end,
    topics,
    write_dataset,
)
from tests.support.app_settings import write_settings


def other_host(pipeline: Pipeline, directory: Path) -> Pipeline:
    """Return the same pipeline with a data directory of its own."""
    values = pipeline.values | {"data_dir": str(directory)}
    config = write_settings(directory.with_suffix(".yml"), values)
    return Pipeline(pipeline.broker, config, values, directory)


def make_again(pipeline: Pipeline, topic: str) -> None:
    """Delete a topic and create another one of the same name."""
    admin = KafkaAdminClient(bootstrap_servers=pipeline.broker.address)
    admin.delete_topics([topic])
    deadline = time.monotonic() + 20
    while topic in admin.list_topics() and time.monotonic() < deadline:
        time.sleep(0.1)
    admin.close()
    create_topics(pipeline.broker.address, {topic: 3})


def test_a_run_that_began_on_one_host_is_refused_on_another(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """The broker remembers who claimed the partitions; another run may take them."""
    write_dataset(tmp_path / "m.csv", 100)
    second = other_host(pipeline, tmp_path / "host2")
    with consumer(pipeline, "r1", "cpu_mem") as process:
        pipeline.run("produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv"))
        process.terminate()
        finish(process)
    refused = second.run("consume", "--run-id", "r1", "--group", "cpu_mem")
    assert refused.returncode == 6, refused.stderr
    assert "partition 0 was consumed in run r1 on host " in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert not list(second.run_directory("r1").glob("raw/*/*"))
    with consumer(second, "r2", "cpu_mem") as process:
        process.terminate()
        finish(process)
    publish_end(pipeline, "r1")
    with consumer(pipeline, "r1", "cpu_mem") as process:
        finish(process)


@BY_ONE_CLIENT
def test_a_second_consumer_of_the_same_run_is_refused(pipeline: Pipeline, tmp_path: Path) -> None:
    """On the same host the segment's lock is held; the first one goes on."""
    write_dataset(tmp_path / "m.csv", 100)
    with consumer(pipeline, "r1", "cpu_mem") as process:
        refused = pipeline.run("consume", "--run-id", "r1", "--group", "cpu_mem")
        assert refused.returncode == 6
        assert "another process writes it; stop that consumer first" in refused.stderr
        pipeline.run("produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv"))
        publish_end(pipeline, "r1")
        finish(process)
    summary = json.loads((pipeline.run_directory("r1") / "consume-cpu_mem.json").read_text())
    assert set(summary["rows"].values()) == {100}
    assert summary["duplicates"] == 0


def test_a_topic_that_was_made_again_is_refused_and_the_segment_left_alone(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """Its offsets begin anew: reading on at the old one would skip rows."""
    write_dataset(tmp_path / "m.csv", 100)
    with consumer(pipeline, "r1", "cpu_mem") as process:
        pipeline.run("produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv"))
        process.terminate()
        finish(process)
    topic = next(iter(topics(pipeline)))
    raw = pipeline.run_directory("r1") / "raw" / topic
    before = {path: path.read_bytes() for path in raw.iterdir()}
    make_again(pipeline, topic)
    refused = pipeline.run("consume", "--run-id", "r1", "--group", "cpu_mem")
    assert refused.returncode == 6, refused.stderr
    assert f"topic {topic} is now" in refused.stderr
    assert "it was deleted and created again" in refused.stderr
    assert {path: path.read_bytes() for path in raw.iterdir()} == before
