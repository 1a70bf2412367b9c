"""A Spark job whose disk is full: it waits for space and begins anew."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.spark.spark_lab import Lab, environment
from tests.support.small_disk import small_disk

CPU, MEM = "topic-cpu", "topic-mem"
WAITING = "waiting for space, at most "
ROWS = 20_000


@contextmanager
def analysis(lab: Lab, local: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the command with Spark's local directory at `local`."""
    options = (f"--conf spark.local.dir={local}", "--conf spark.log.level=OFF")
    process = subprocess.Popen(
        lab.command("cpu_mem"), stderr=subprocess.PIPE, text=True, env=environment(*options)
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for(process: subprocess.Popen[str], text: str) -> str:
    """Return the process's next line that has `text`."""
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if text in line:
            return line
    pytest.fail("".join(seen))


def check_table(lab: Lab) -> None:
    """Check that the table is what an analysis with space makes, and the summary says so."""
    summary = json.loads((lab.run.directory / "analyze-cpu_mem.json").read_text())
    path = lab.run.directory / summary["output_file"]
    found = path.read_bytes()
    path.unlink()
    result = lab.analyze("cpu_mem")
    assert found == path.read_bytes()
    assert (summary["windows"], summary["rows"]) == (result.windows, {CPU: ROWS, MEM: ROWS})
    assert not list(lab.run.directory.glob(".*"))


@pytest.fixture
def full_lab(lab: Lab) -> Lab:
    """Return a run whose rows take more than a megabyte to shuffle and whose table is large."""
    lab.values["full_disk_timeout"] = 60
    readings = [
        (
            f"{i // 3600 % 24:02d}:{i // 60 % 60:02d}:{i % 60:02d}",
            f"s{i % 97}",
            str(i % 10_007 / 101),
        )
        for i in range(ROWS)
    ]
    for topic in (CPU, MEM):
        lab.store(topic, readings)
    return lab


def test_a_job_waits_for_space_in_sparks_local_directory(full_lab: Lab, tmp_path: Path) -> None:
    """Its shuffle does not fit; with more space the analysis is done again, in the same process."""
    with small_disk(tmp_path / "local", "256k") as disk, analysis(full_lab, disk.path) as process:
        assert "Spark: No space left on device in" in wait_for(process, WAITING)
        disk.free()
        wait_for(process, "wrote ")
        assert process.wait(timeout=60) == 0
    check_table(full_lab)


@pytest.mark.long
def test_a_job_waits_for_space_for_its_result(full_lab: Lab, tmp_path: Path) -> None:
    """The table's parts, which Spark writes beside the table."""
    stored = full_lab.run.raw.rename(tmp_path / "raw")
    full_lab.run.directory.rmdir()
    with small_disk(full_lab.run.directory) as disk:
        full_lab.run.raw.symlink_to(stored)
        disk.fill()
        with analysis(full_lab, tmp_path) as process:
            assert "No space left on device" in wait_for(process, WAITING)
            disk.free()
            wait_for(process, "wrote ")
            assert process.wait(timeout=60) == 0
        (disk.path / "filler").unlink()
        check_table(full_lab)


def test_a_job_gives_up_a_disk_that_stays_full(full_lab: Lab, tmp_path: Path) -> None:
    """Here one on which Spark could not even start: one line, the status of a storage error."""
    full_lab.values["full_disk_timeout"] = 2
    with small_disk(tmp_path / "local") as disk:
        disk.fill()
        with analysis(full_lab, disk.path) as process:
            _, err = process.communicate(timeout=120)
    assert process.returncode == 6, err
    assert f"server-monitoring: error: {disk.path}: No space left" in err.splitlines()[-1]
    assert "Traceback" not in err
    assert not list(full_lab.run.directory.glob("*.csv"))
