"""A producer whose disk is full: it waits for space, and goes on where it was."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.kafka_broker import Pipeline
from tests.kafka.kafka_runs import (
    BY_ONE_CLIENT,
    check_all_stored,
    consumer,
    finish,
    publish_end,
    running,
    write_dataset,
)
from tests.support.app_settings import write_settings
from tests.support.small_disk import SmallDisk, small_disk

WAITING = "waiting for space, at most "


@pytest.fixture
def disk(pipeline: Pipeline) -> Iterator[SmallDisk]:
    """Return the small disk that the producer of run r1 has for its files."""
    with small_disk(pipeline.run_directory("r1")) as disk:
        yield disk


def others(pipeline: Pipeline, tmp_path: Path) -> Pipeline:
    """Return the same pipeline with another data directory, as another host has it."""
    values = pipeline.values | {"data_dir": str(tmp_path / "other")}
    config = write_settings(tmp_path / "other.yml", values)
    return Pipeline(pipeline.broker, config, values, tmp_path / "other")


def wait_for(process: subprocess.Popen[str], text: str) -> str:
    """Return the process's next line that has `text`."""
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return line
    pytest.fail(f"it ended without {text!r}")


def summary(pipeline: Pipeline) -> dict[str, dict[str, int]]:
    """Return the producer's summary of run r1."""
    content: dict[str, dict[str, int]] = json.loads(
        (pipeline.run_directory("r1") / "produce.json").read_text()
    )
    return content


@BY_ONE_CLIENT
def test_a_producer_waits_for_space_for_what_it_writes_first(
    pipeline: Pipeline, disk: SmallDisk, tmp_path: Path
) -> None:
    """Its list of bad rows and its marker: nothing is sent before they are on disk."""
    write_dataset(tmp_path / "m.csv", 500)
    with (tmp_path / "m.csv").open("a") as file:
        file.write("never,a,1,2,3,4\n")
    disk.fill()
    arguments = ["--run-id", "r1", "--dataset", str(tmp_path / "m.csv"), "--on-bad-row=skip"]
    with running(pipeline, WAITING, "produce", *arguments) as process:
        assert "bad-rows.csv: No space left on device" in wait_for(process, WAITING)
        disk.free()
        finish(process)
    assert set(summary(pipeline)["rows"].values()) == {500}
    assert len((disk.path / "bad-rows.csv").read_text().splitlines()) == 2
    assert (disk.path / "produce.started").exists()


def test_a_producer_whose_disk_gets_full_keeps_its_place(
    pipeline: Pipeline, disk: SmallDisk, tmp_path: Path
) -> None:
    """It waits with a checkpoint, sends each row once, and consumers get all."""
    rows = write_dataset(tmp_path / "m.csv", 12_000)
    other = others(pipeline, tmp_path)
    arguments = ["--run-id", "r1", "--dataset", str(tmp_path / "m.csv"), "--rate", "4000"]
    with consumer(other, "r1", "cpu_mem") as first, consumer(other, "r1", "net_disk") as second:
        with running(pipeline, "ready: sending", "produce", *arguments) as process:
            disk.fill()
            assert "produce.progress" in wait_for(process, WAITING)
            disk.free()
            finish(process)
        assert set(summary(pipeline)["sent_before"].values()) == {0}
        other.run_directory("r1").joinpath("produce.json").write_text(json.dumps(summary(pipeline)))
        publish_end(other, "r1")
        finish(first)
        finish(second)
    check_all_stored(other, "r1", rows)


@BY_ONE_CLIENT
def test_a_producer_gives_up_a_disk_that_stays_full(
    pipeline: Pipeline, disk: SmallDisk, tmp_path: Path
) -> None:
    """After `full_disk_timeout`, with the file's name and what to do."""
    write_settings(pipeline.config, pipeline.values | {"full_disk_timeout": 2})
    write_dataset(tmp_path / "m.csv", 500)
    disk.fill()
    done = pipeline.run("produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv"))
    assert done.returncode == 6
    assert "waiting for space, at most 2 s more" in done.stderr
    assert "waiting for space, at most 1 s more" in done.stderr
    last = done.stderr.splitlines()[-1]
    assert "produce.checked: No space left on device; free space" in last
    assert "Traceback" not in done.stderr
    disk.free()
    again = pipeline.run("produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv"))
    assert again.returncode == 0, again.stderr
