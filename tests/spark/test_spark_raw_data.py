"""Raw data that is not whole is refused; what is whole, the command makes a table of."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

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


def test_the_command_writes_table_and_summary(lab: Lab) -> None:
    """In a process of its own, by plain python; quiet but for its status lines."""
    for topic in (CPU, MEM):
        path = lab.store(topic, [("00:01:00", "a", "99"), ("00:01:00", "b", "99")])
    path.write_text(path.read_text().replace("b,99.0", "b,99,0"))
    done = subprocess.run(
        lab.command("cpu_mem"),
        capture_output=True,
        text=True,
        check=False,
        env=environment("--conf spark.log.level=ERROR"),
        timeout=600,  # it hangs, also on a machine that serves others first
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads((lab.run.directory / "analyze-cpu_mem.json").read_text())
    assert summary["rows"] == {CPU: 2, MEM: 2}
    assert summary["corrupt_rows"] == summary["lost_rows"] == {CPU: 0, MEM: 1}
    assert (summary["windows"], summary["alerts"]["High CPU + Memory stress"]) == (3, 3)
    assert summary["spark_version"] == "4.3.0"
    assert int(summary["java_version"].split(".")[0]) >= 17
    assert (lab.run.directory / summary["output_file"]).exists()
    assert "Traceback" not in done.stderr
    assert "wrote 3 windows to team_47_CPU_MEM.csv" in done.stderr
    assert "1 corrupt lines are in corrupt-cpu_mem.csv; 1 stored rows are lost" in done.stderr
