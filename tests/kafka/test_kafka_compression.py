"""Batches on the broker bear the codec that the settings name, and are stored as any others."""

import struct
from pathlib import Path

import pytest
from server_monitoring.broker.limits import COMPRESSIONS, KAFKA_PYTHON
from server_monitoring.model.names import PROBE_TOPIC

from tests.kafka.kafka_broker import Broker, Pipeline, make_pipeline, running_broker
from tests.kafka.kafka_runs import (
    check_all_stored,
    run_through,
    topics,
    write_dataset,
)
from tests.support.app_settings import write_settings

# Of a batch: how many bytes follow, and a number whose lowest three bits are the codec.
ATTRIBUTES = struct.Struct(">8x i 5x 4x h")
LENGTH_ENDS = 12
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


def codecs(pipeline: Pipeline, topic: str) -> set[str]:
    """Return the codecs of a topic's batches, as the headers in its log have them."""
    found = set()
    for path in (pipeline.broker.directory / "data").glob(f"{topic}-*/*.log"):
        log = path.read_bytes()
        while len(log) > ATTRIBUTES.size:
            length, attributes = ATTRIBUTES.unpack_from(log)
            found.add(CODECS[attributes & 7])
            log = log[LENGTH_ENDS + length :]
    return found


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_batches_bear_the_codec_of_the_settings(
    pipeline: Pipeline, tmp_path: Path, compression: str
) -> None:
    """And every row comes through."""
    pipeline.values["compression"] = compression
    write_settings(pipeline.config, pipeline.values)
    rows = write_dataset(tmp_path / "m.csv", 2_000)
    run_through(pipeline, "r1", tmp_path / "m.csv")
    check_all_stored(pipeline, "r1", rows)
    # A batch of so few records that it would grow is left as it is by kafka-python.
    assert codecs(pipeline, next(iter(topics(pipeline)))) - {"none"} == {compression} - {"none"}


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_the_probe_s_record_bears_it_too(pipeline: Pipeline, compression: str) -> None:
    """A broker that cannot unpack a run's batches is found out before the run."""
    pipeline.values["compression"] = compression
    write_settings(pipeline.config, pipeline.values)
    assert pipeline.run("probe").returncode == 0
    assert compression in codecs(pipeline, PROBE_TOPIC)


class BareBroker(Broker):
    """One whose Java finds no folder where it may unpack libraries and run them."""

    def environment(self) -> dict[str, str]:
        """Name a folder that is not there, as one on a disk mounted noexec is of no use."""
        return super().environment() | {"KAFKA_OPTS": "-Djava.io.tmpdir=/nowhere"}


@pytest.mark.long
def test_a_broker_that_cannot_unpack_fails_the_probe(tmp_path: Path) -> None:
    """Plain records it takes."""
    (tmp_path / "kafka").mkdir()
    with running_broker(BareBroker, tmp_path / "kafka") as broker:
        pipeline = make_pipeline(broker, tmp_path, partitions=1, client=KAFKA_PYTHON)
        said = []
        for compression in ("none", "zstd"):
            pipeline.values["compression"] = compression
            write_settings(pipeline.config, pipeline.values)
            said.append(pipeline.run("probe"))
    plain, packed = said
    assert plain.returncode == 0, plain.stderr
    assert packed.returncode != 0
    assert "producing the probe's record" in packed.stderr
    assert packed.stderr.count("server-monitoring: error: ") == 1
