"""The Spark jobs: wall time, rows a second and memory, beside those of a reference.

The jobs are started as their systemd unit starts them, on this machine. Memory is the resident
memory of the job's whole process tree (spark-submit, Java, Python).

A reference is a folder that the user prepared, outside this repository, with one executable file
for each metric group (cpu_mem, net_disk). It is started in an empty folder with two arguments:
the CSV files of the group's metrics, each with the columns ts, server_id and the metric's. It
exits with status 0 once its table is written; the time until then is what counts.
"""

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import spark_data
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from measurement import Measurement
from server_monitoring.config import load
from spark_processes import Command, Cost, measure_together

ROLE = spark_data.ROOT / "roles" / "pipeline"
GROUPS = ("cpu_mem", "net_disk")
# The share of the reference's time that a job may take.
SHARES = {"cpu_mem": 1 / 5, "net_disk": 1 / 3}
COMPARED_FROM = 3_000_000
PEAK_MIB = 2_048.0
TOGETHER_SECONDS = 20.0
GROWTH = 1.2


def measure(sizes: Sequence[int], reference: Path | None) -> list[Measurement]:
    """Measure both jobs at each size, the smallest also at the same time.

    Args:
        sizes: rows a metric, ascending; multiples of 8,640.
        reference: the folder with the reference's commands, or None.

    Raises:
        CommandFailedError: a job failed.

    """
    found: list[Measurement] = []
    for rows in sizes:
        with tempfile.TemporaryDirectory(prefix="bench-spark-") as name:
            directory = Path(name)
            config = spark_data.write_run(directory, rows)
            if rows == sizes[0]:
                found += _together(config, rows)
            for group in GROUPS:
                found += _one(config, group, rows, _growth_base(sizes, rows, group), reference)
    return found


def _growth_base(sizes: Sequence[int], rows: int, group: str) -> str | None:
    """Return the time per row that this one is held against: that of the size before it."""
    before = [size for size in sizes if COMPARED_FROM <= size < rows]
    return _name(group, before[-1], "time per row") if before else None


def _name(group: str, rows: int, what: str) -> str:
    return f"Spark {group}, {rows:,} rows a metric: {what}"


def _together(config: Path, rows: int) -> list[Measurement]:
    costs = measure_together([job(config, group) for group in GROUPS])
    name = f"Spark both jobs at once, {rows:,} rows a metric: time"
    return [
        Measurement(name, "s", max(c.seconds for c in costs), None, TOGETHER_SECONDS, at_most=True)
    ]


def _one(
    config: Path, group: str, rows: int, growth_base: str | None, reference: Path | None
) -> list[Measurement]:
    """Measure one job, right after the reference's, so that both see the same machine."""
    found, base = [], None
    if reference is not None:
        [theirs] = measure_together([_reference_job(config, group, reference)])
        base = _name(f"reference {group}", rows, "time")
        found.append(Measurement(base, "s", theirs.seconds, None, None, at_most=True))
    [ours] = measure_together([job(config, group)])
    share = SHARES[group] if base and rows >= COMPARED_FROM else None
    return [*found, *_figures(group, rows, ours, base, share, growth_base)]


def _figures(
    group: str, rows: int, cost: Cost, base: str | None, share: float | None, growth: str | None
) -> list[Measurement]:
    bar = GROWTH if growth else None
    return [
        Measurement(_name(group, rows, "time"), "s", cost.seconds, base, share, at_most=True),
        Measurement(
            _name(group, rows, "rows"), "rows/s", 2 * rows / cost.seconds, None, None, at_most=False
        ),
        Measurement(
            _name(group, rows, "time per row"),
            "µs",
            cost.seconds / rows * 1e6,
            growth,
            bar,
            at_most=True,
        ),
        Measurement(
            _name(group, rows, "peak memory"), "MiB", cost.peak_mib, None, PEAK_MIB, at_most=True
        ),
    ]


def job(config: Path, group: str) -> Command:
    """Return the command of a group's systemd unit, for the run beside `config` on this machine."""
    defaults: dict[str, Any] = yaml.safe_load((ROLE / "defaults/main.yml").read_text("utf-8"))
    data_dir = load(config).data_dir
    environment = Environment(  # noqa: S701 - a unit, not HTML
        loader=FileSystemLoader(ROLE / "templates"), undefined=StrictUndefined, trim_blocks=True
    )
    unit = environment.get_template("analyze.service.j2")
    text = unit.render(
        defaults | {"pipeline_data_dir": str(data_dir), "item": group, "ansible_managed": ""}
    )
    [line] = [s for s in text.replace("\\\n", " ").splitlines() if s.startswith("ExecStart=")]
    places = {
        "/opt/spark/bin/spark-submit": str(Path(sys.executable).with_name("spark-submit")),
        "/opt/spark/server-monitoring.py": str(
            spark_data.ROOT / "app/src/server_monitoring/__main__.py"
        ),
        "%i": spark_data.RUN_ID,
    }
    words = [places.get(word, word) for word in shlex.split(line.removeprefix("ExecStart="))]
    (data_dir / "spark").mkdir(exist_ok=True)
    return Command([*words, "--config", str(config)], data_dir / "work" / group, _environment())


def _reference_job(config: Path, group: str, reference: Path) -> Command:
    settings = load(config)
    run = spark_data.run_of(settings)
    directory = settings.data_dir / "reference" / group
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    inputs = []
    for metric in settings.group(group).metrics:
        path = settings.data_dir / f"{metric.column}.csv"
        spark_data.write_joined(sorted((run.raw / metric.topic).glob("*.csv")), path)
        inputs.append(str(path))
    return Command([str(reference.resolve() / group), *inputs], directory, _environment())


def _environment() -> dict[str, str]:
    tools = str(Path(sys.executable).parent)
    own = {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHONPATH": str(spark_data.ROOT / "app" / "src"),
        "PYTHONUNBUFFERED": "1",
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    return {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"} | own
