"""Raw data that is not whole is refused; what is whole, the command makes a table of."""

import json
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import pytest
from server_monitoring.errors import AnalysisError
from server_monitoring.store.segment import Segment
from server_monitoring.store.sidecar import Sidecar

from tests.spark.spark_lab import Lab, environment

CPU, MEM, NET, DISK = "topic-cpu", "topic-mem", "topic-net", "topic-disk"


def cut(path: Path) -> None:
    """Remove the last byte."""
    os.truncate(path, path.stat().st_size - 1)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "topic-mem: no raw data of run r1"),
        (cut, "expected the 36 of its sidecar; run the group's consumer to its end"),
        (lambda path: path.with_suffix(".json").unlink(), "0.json: No such file"),
        (lambda path: path.rename(path.with_name("1.csv")), "1.json: No such file"),
    ],
)
def test_raw_data_that_is_not_whole_is_refused(
    lab: Lab, damage: Callable[[Path], None], message: str
) -> None:
    """Before Spark reads anything."""
    lab.store(CPU, [("00:01:00", "a", "1")])
    damage(lab.store(MEM, [("00:01:00", "a", "1")]))
    with pytest.raises(AnalysisError) as caught:
        lab.analyze("cpu_mem")
    assert message in str(caught.value)


def test_topics_with_different_partitions_are_refused(lab: Lab) -> None:
    """One of them was not collected here."""
    lab.store(CPU, [], 0)
    lab.store(CPU, [], 1)
    lab.store(MEM, [], 0)
    with pytest.raises(AnalysisError, match=r"1\.csv: there for only one of"):
        lab.analyze("cpu_mem")


def test_an_uncommitted_tail_is_not_analyzed(lab: Lab) -> None:
    """A consumer that was killed must finish first."""
    lab.store(CPU, [("00:01:00", "a", "1")])
    path = lab.store(MEM, [("00:01:00", "a", "1")])
    segment = Segment(path, "mem_pct", Sidecar("r1", MEM, "id", 0, 0))
    segment.append("00:01:10,a,1.0\n", 1, 2, 2)
    segment.close()
    with pytest.raises(AnalysisError, match="run the group's consumer to its end"):
        lab.analyze("cpu_mem")


def store_both(lab: Lab) -> None:
    """Store two rows of each topic, one of them corrupt."""
    for topic in (CPU, MEM):
        path = lab.store(topic, [("00:01:00", "a", "99"), ("00:01:00", "b", "99")])
    path.write_text(path.read_text().replace("b,99.0", "b,99,0"))


def start(lab: Lab, *options: str) -> subprocess.Popen[str]:
    """Start the analysis of cpu_mem in a process of its own, by plain python."""
    return subprocess.Popen(
        [*lab.command("cpu_mem"), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment("--conf spark.log.level=ERROR"),
    )


def until(lines: IO[str], wanted: str) -> str:
    """Read up to the first line with `wanted`, and return what was read."""
    said = ""
    for line in lines:
        said += line
        if wanted in line:
            return said
    raise AssertionError(said)


def test_the_command_writes_table_and_summary(lab: Lab) -> None:
    """In a process of its own, by plain python; quiet but for its status lines."""
    store_both(lab)
    with start(lab) as running:
        # It hangs, also on a machine that serves others first.
        _, said = running.communicate(timeout=600)
    assert running.returncode == 0, said
    summary = json.loads((lab.run.directory / "analyze-cpu_mem.json").read_text())
    assert summary["rows"] == {CPU: 2, MEM: 2}
    assert summary["corrupt_rows"] == summary["lost_rows"] == {CPU: 0, MEM: 1}
    assert (summary["windows"], summary["alerts"]["High CPU + Memory stress"]) == (3, 3)
    assert summary["spark_version"] == "4.3.0"
    assert int(summary["java_version"].split(".")[0]) >= 17
    assert (lab.run.directory / summary["output_file"]).exists()
    assert "Traceback" not in said
    assert "wrote 3 windows to team_47_CPU_MEM.csv" in said
    assert "1 corrupt lines are in corrupt-cpu_mem.csv; 1 stored rows are lost" in said


def test_an_analysis_waits_for_its_consumer(lab: Lab) -> None:
    """It starts before there is any raw data, and its seconds are those of the analysis alone."""
    with start(lab, "--wait", "170") as running:
        assert running.stderr is not None
        # Spark is up by then.
        said = until(running.stderr, "waiting for the consumer of cpu_mem")
        store_both(lab)
        before = datetime.now(UTC)
        lab.run.consumed("cpu_mem").write_text('{"run_id": "r1", "group": "cpu_mem"}')
        said += running.stderr.read()
    assert running.returncode == 0, said
    summary = json.loads((lab.run.directory / "analyze-cpu_mem.json").read_text())
    assert (summary["rows"], summary["windows"]) == ({CPU: 2, MEM: 2}, 3)
    assert "wrote 3 windows to team_47_CPU_MEM.csv" in said
    assert datetime.fromisoformat(summary["started"]) > before - timedelta(milliseconds=1)


def test_an_analysis_gives_up_a_consumer_that_does_not_end(lab: Lab) -> None:
    """Raw data alone does not count: more may come."""
    store_both(lab)
    with start(lab, "--wait", "0.5") as running:
        _, said = running.communicate(timeout=180)
    assert running.returncode == AnalysisError.exit_status, said
    assert said.splitlines()[-1].startswith(
        f"server-monitoring: error: {lab.run.consumed('cpu_mem')}: No such file or directory after "
        "0.5 s of waiting for the consumer of cpu_mem"
    )
    assert "Traceback" not in said
    assert not (lab.run.directory / "team_47_CPU_MEM.csv").exists()
