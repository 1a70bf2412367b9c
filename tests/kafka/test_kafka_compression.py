"""Batches on the broker bear the codec that the settings name, and are stored as any others."""

import os
import subprocess
from pathlib import Path

import pytest
from server_monitoring.broker.limits import COMPRESSIONS

from tests.kafka.kafka_broker import Pipeline
from tests.kafka.kafka_runs import (
    check_all_stored,
    consumer,
    finish,
    publish_end,
    topics,
    write_dataset,
)
from tests.support.app_settings import write_settings


def codecs(pipeline: Pipeline, topic: str) -> set[str]:
    """Return the codecs of a topic's batches, as Kafka's own tool reads them from its log."""
    logs = (pipeline.broker.directory / "data").glob(f"{topic}-*/*.log")
    files = ",".join(str(path) for path in logs if path.stat().st_size)
    tool = pipeline.broker.home / "bin" / "kafka-dump-log.sh"
    dumped = subprocess.run(
        [tool, "--files", files],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"KAFKA_HEAP_OPTS": "-Xmx128m"},
    ).stdout
    words = [line.partition("compresscodec: ")[2].split() for line in dumped.splitlines()]
    return {found[0].lower() for found in words if found}


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_batches_bear_the_codec_of_the_settings(
    pipeline: Pipeline, tmp_path: Path, compression: str
) -> None:
    """And every row comes through."""
    pipeline.values["compression"] = compression
    write_settings(pipeline.config, pipeline.values)
    rows = write_dataset(tmp_path / "m.csv", 2_000)
    with (
        consumer(pipeline, "r1", "cpu_mem") as first,
        consumer(pipeline, "r1", "net_disk") as second,
    ):
        done = pipeline.run("produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv"))
        assert done.returncode == 0, done.stderr
        publish_end(pipeline, "r1")
        finish(first)
        finish(second)
    check_all_stored(pipeline, "r1", rows)
    # A batch of so few records that it would grow is left as it is by kafka-python.
    assert codecs(pipeline, next(iter(topics(pipeline)))) - {"none"} == {compression} - {"none"}
