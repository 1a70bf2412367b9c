"""The benchmark of the Spark jobs: its data, its commands and what it counts; no job is run."""

import os
import sys
import time
from pathlib import Path

import pytest
from server_monitoring.model.timestamps import CLOCK
from server_monitoring.settings.config import load
from server_monitoring.store import lines
from server_monitoring.store.raw import find_topics

from tests.bench import spark, spark_data
from tests.bench.spark_processes import (
    Command,
    CommandFailedError,
    Cost,
    measure_together,
    tree_mib,
)


def test_made_up_raw_data_is_whole_and_has_the_rows_asked_for(tmp_path: Path) -> None:
    """As the analysis itself sees it; every line is a row."""
    config = load(spark_data.write_run(tmp_path, 17_280))
    for group in config.groups.values():
        for topic in find_topics(spark_data.run_of(config), group):
            assert topic.rows == 17_280
            rows = [line for path in topic.files for line in lines.lines(path, CLOCK)]
            assert len(rows) == 17_280
            assert all(row.good for row in rows)


def test_values_can_be_wide(tmp_path: Path) -> None:
    """So many that the job takes the plan for them."""
    config = load(spark_data.write_run(tmp_path, 8_640, spark_data.WIDE_FACTOR))
    for metric in config.metrics():
        for path in (spark_data.run_of(config).raw / metric.topic).glob("*.csv"):
            found = list(lines.lines(path, CLOCK))
            assert sum(b"E+" in line.content for line in found) > len(found) / 2 or not found


@pytest.mark.parametrize("rows", [0, 1, 8_641])
def test_a_size_that_is_no_whole_number_of_servers_is_refused(rows: int) -> None:
    """It would be measured under a wrong name."""
    with pytest.raises(ValueError, match=f"found {rows} rows, expected a multiple of 8640"):
        spark_data.servers_for(rows)


def test_segments_join_to_one_file_with_one_header(tmp_path: Path) -> None:
    """What a reference's job reads."""
    for name, body in (("0.csv", "a\n"), ("1.csv", "b\n")):
        (tmp_path / name).write_text(f"header\n{body}", encoding="utf-8")
    joined = tmp_path / "joined.csv"
    spark_data.write_joined([tmp_path / "0.csv", tmp_path / "1.csv"], joined)
    assert joined.read_text(encoding="utf-8") == "header\na\nb\n"


def test_a_job_is_started_as_its_unit_starts_it(tmp_path: Path) -> None:
    """With the defaults of the role, but this machine's paths."""
    config = spark_data.write_run(tmp_path, 8_640)
    words = list(spark.job(config, "cpu_mem", tmp_path / "a.jsa").arguments)
    assert words[0] == "/usr/bin/java"
    assert words[words.index("-cp") + 1].endswith("/pyspark/jars/*")
    assert "-Xmx1g" in words
    assert f"-XX:SharedArchiveFile={tmp_path}/a.jsa" in words
    assert f"spark.local.dir={tmp_path}/data/spark" in words
    analyze = ["analyze", "--run-id", "bench", "--wait", "0", "--group", "cpu_mem"]
    assert words[-9:-2] == analyze
    assert words[-2:] == ["--config", str(config)]
    assert not [word for word in words if "/opt/spark" in word or "%" in word]


def test_a_rehearsal_differs_from_a_job_only_in_its_archive_and_arguments(tmp_path: Path) -> None:
    """Else Java refuses the archive, and the benchmark measures another start than users have."""
    config = spark_data.write_run(tmp_path, 8_640)
    archive = tmp_path / "a.jsa"
    job, rehearsal = spark.job(config, "cpu_mem", archive), spark.rehearsal(config, archive)
    made_for_an_archive = (
        "-XX:ArchiveClassesAtExit=",
        "-XX:SharedArchiveFile=",
        "-Xshare:",
        "-Xlog:",
    )
    kept = [
        [w for w in c.arguments if not w.startswith(made_for_an_archive)] for c in (job, rehearsal)
    ]
    assert kept[0][:-9] == kept[1][:-3]
    assert kept[1][-3:] == ["rehearse", "--config", str(config)]
    assert job.environment == rehearsal.environment


def command(tmp_path: Path, program: str) -> Command:
    """Return a Python program as a command."""
    return Command([sys.executable, "-c", program], tmp_path / "work", dict(os.environ))


def test_memory_and_time_are_those_of_the_whole_tree(tmp_path: Path) -> None:
    """A child's memory counts; the time is until the command's end."""
    child = "import time; held = bytearray(200 << 20); time.sleep(1)"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    [cost] = measure_together([command(tmp_path, program)])
    assert 200 < cost.peak_mib < 400
    assert 1 <= cost.seconds < 30
    assert tree_mib(os.getpid()) > 10


def test_commands_run_at_the_same_time_and_a_failing_one_is_named(tmp_path: Path) -> None:
    """With what it said last."""
    began = time.monotonic()
    costs = measure_together([command(tmp_path / n, "import time; time.sleep(5)") for n in "ab"])
    assert len(costs) == 2
    assert time.monotonic() - began < 9.9
    with pytest.raises(CommandFailedError, match=r"status 3: lost"):
        measure_together([command(tmp_path, "import sys; print('lost'); sys.exit(3)")])


def test_growth_is_held_against_the_size_before_and_the_share_against_the_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bars of a run over three sizes, with jobs that are not run."""
    monkeypatch.setattr(spark_data, "write_run", lambda directory, *_: directory / "config.yml")
    monkeypatch.setattr(spark, "rehearse", lambda directory: directory / "classes.jsa")
    monkeypatch.setattr(spark, "job", lambda _, group, __: group)
    monkeypatch.setattr(spark, "_reference_job", lambda _, group, __: group)
    monkeypatch.setattr(spark, "measure_together", lambda jobs: [Cost(2.0, 100.0) for _ in jobs])
    found = {m.name: m for m in spark.measure([25_920, 3_032_640, 29_998_080], tmp_path)}
    wide = found["Spark net_disk, 25,920 rows a metric: time with wide values"]
    assert wide.base == "Spark net_disk, 25,920 rows a metric: time"
    assert found["Spark both jobs at once, 25,920 rows a metric: time"].bar == 20
    time_of = found["Spark net_disk, 3,032,640 rows a metric: time"]
    assert (time_of.base, time_of.bar) == (
        "Spark reference net_disk, 3,032,640 rows a metric: time", 1 / 3,
    )  # fmt: skip
    grown = found["Spark cpu_mem, 29,998,080 rows a metric: time per row"]
    assert (grown.base, grown.bar) == ("Spark cpu_mem, 3,032,640 rows a metric: time per row", 1.2)
    assert found["Spark cpu_mem, 25,920 rows a metric: time"].bar is None
    references = {name for name in found if "reference cpu_mem" in name}
    assert references == {
        f"Spark reference cpu_mem, {rows} rows a metric: time" for rows in ("25,920", "3,032,640")
    }
    assert all(m.base is None or m.base in found for m in found.values())
