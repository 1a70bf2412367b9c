"""The Spark jobs: wall time, rows a second and memory, beside those of a reference.

The jobs are started as their systemd unit starts them, on this machine, with an archive of classes
that was rehearsed as provisioning does it. Memory is the resident memory of the job's whole process
tree (Java, Python).

A reference is a folder that the user prepared, outside this repository, with one executable file
for each metric group (cpu_mem, net_disk). It is started in an empty folder with two arguments:
the CSV files of the group's metrics, each with the columns ts, server_id and the metric's. It
exits with status 0 once its table is written; the time until then is what counts.
"""

import importlib.util
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from server_monitoring.model import names
from server_monitoring.settings.config import load

from tests.bench import spark_data
from tests.bench.measurement import Measurement
from tests.bench.spark_processes import Command, CommandFailedError, Cost, measure_together
from tests.support.app_settings import settings, write_settings
from tests.support.project import PROJECT

ROLE = PROJECT / "roles" / "pipeline"
ARCHIVE = "/opt/spark/classes.jsa"
NEW_ARCHIVE = "/tmp/classes.jsa"  # noqa: S108 - a unit's own
GROUPS = ("cpu_mem", "net_disk")
# The share of the reference's time that a job may take.
SHARES = {"cpu_mem": 1 / 5, "net_disk": 1 / 3}
COMPARED_FROM = 3_000_000
# At ten times as many rows its jobs take longer than everything else together.
REFERENCE_UP_TO = 4_000_000
PEAK_MIB = 2_048.0
TOGETHER_SECONDS = 20.0
GROWTH = 1.2


class Job(NamedTuple):
    """What to analyze, and the archive of classes to begin with."""

    config: Path
    group: str
    archive: Path


def measure(sizes: Sequence[int], reference: Path | None) -> list[Measurement]:
    """Measure both jobs at each size, the smallest also at the same time, and with wide values.

    Args:
        sizes: rows a metric, ascending; multiples of 8,640.
        reference: the folder with the reference's commands, or None; run at the smaller sizes.

    Raises:
        CommandFailedError: a job failed.

    """
    found: list[Measurement] = []
    with tempfile.TemporaryDirectory(prefix="bench-spark-archive-") as scratch:
        archive = rehearse(Path(scratch))
        for rows in sizes:
            theirs = reference if rows <= REFERENCE_UP_TO else None
            with tempfile.TemporaryDirectory(prefix="bench-spark-") as name:
                config = spark_data.write_run(Path(name), rows)
                if rows == sizes[0]:
                    found += _together(config, rows, archive)
                for group in GROUPS:
                    base = _growth_base(sizes, rows, group)
                    found += _one(Job(config, group, archive), rows, base, theirs)
        with tempfile.TemporaryDirectory(prefix="bench-spark-") as name:
            config = spark_data.write_run(Path(name), sizes[0], spark_data.WIDE_FACTOR)
            found += [_wide(Job(config, group, archive), sizes[0]) for group in GROUPS]
    return found


def _wide(ours: Job, rows: int) -> Measurement:
    """Measure a job on values most of which are wide, beside the same job on usual ones."""
    [cost] = measure_together([job(ours.config, ours.group, ours.archive)])
    base = _name(ours.group, rows, "time")
    name = _name(ours.group, rows, "time with wide values")
    return Measurement(name, "s", cost.seconds, base, None, at_most=True)


def _growth_base(sizes: Sequence[int], rows: int, group: str) -> str | None:
    """Return the time per row that this one is held against: that of the size before it."""
    before = [size for size in sizes if COMPARED_FROM <= size < rows]
    return _name(group, before[-1], "time per row") if before else None


def _name(group: str, rows: int, what: str) -> str:
    return f"Spark {group}, {rows:,} rows a metric: {what}"


def _together(config: Path, rows: int, archive: Path) -> list[Measurement]:
    costs = measure_together([job(config, group, archive) for group in GROUPS])
    name = f"Spark both jobs at once, {rows:,} rows a metric: time"
    return [
        Measurement(name, "s", max(c.seconds for c in costs), None, TOGETHER_SECONDS, at_most=True)
    ]


def _one(
    ours: Job, rows: int, growth_base: str | None, reference: Path | None
) -> list[Measurement]:
    """Measure one job, right after the reference's, so that both see the same machine."""
    found, base = [], None
    if reference is not None:
        [theirs] = measure_together([_reference_job(ours.config, ours.group, reference)])
        base = _name(f"reference {ours.group}", rows, "time")
        found.append(Measurement(base, "s", theirs.seconds, None, None, at_most=True))
    [cost] = measure_together([job(ours.config, ours.group, ours.archive)])
    share = SHARES[ours.group] if base and rows >= COMPARED_FROM else None
    return [*found, *_figures(ours.group, rows, cost, base, share, growth_base)]


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


def job(config: Path, group: str, archive: Path) -> Command:
    """Return the command of a group's systemd unit, for the run beside `config` on this machine."""
    text = _render("analyze.service.j2", config, item=group)
    [line] = [s for s in text.replace("\\\n", " ").splitlines() if s.startswith("ExecStart=")]
    words = _on_this_machine(line.removeprefix("ExecStart="), archive)
    return Command([*words, "--config", str(config)], config.parent / "work" / group, environment())


def rehearsal(config: Path, archive: Path) -> Command:
    """Return the command of the rehearsal, as provisioning gives it, that writes `archive`."""
    text = _render("rehearse.j2", config)
    words = _on_this_machine(text, archive)
    return Command([*words, "--config", str(config)], config.parent / "work", environment())


def rehearse(directory: Path) -> Path:
    """Rehearse the jobs in a folder of its own, and return the archive of the classes they loaded.

    Raises:
        CommandFailedError: the rehearsal failed, or left no archive.

    """
    directory.mkdir(parents=True, exist_ok=True)
    config = write_settings(directory / "config.yml", settings(directory / "data"))
    archive = directory / "classes.jsa"
    command = rehearsal(config, archive)
    measure_together([command])
    if not archive.exists():
        message = f"{command.arguments[0]}: ended without the archive {archive}"
        raise CommandFailedError(message)
    return archive


def _render(template: str, config: Path, **variables: str) -> str:
    defaults: dict[str, Any] = yaml.safe_load((ROLE / "defaults/main.yml").read_text("utf-8"))
    data_dir = load(config).data_dir
    (data_dir / "spark").mkdir(parents=True, exist_ok=True)
    templates = Environment(  # noqa: S701 - a unit, not HTML
        loader=FileSystemLoader(ROLE / "templates"), undefined=StrictUndefined, trim_blocks=True
    )
    templates.filters["server_monitoring.cluster.pipeline_user_name"] = names.user
    own = {"pipeline_data_dir": str(data_dir), "ansible_managed": ""}
    return templates.get_template(template).render(defaults | own | variables)


def _on_this_machine(line: str, archive: Path) -> list[str]:
    """Return a command's words with this machine's paths in place of a node's."""
    found = importlib.util.find_spec("pyspark")
    assert found is not None
    assert found.origin is not None
    places = {
        "/opt/spark/jars": str(Path(found.origin).with_name("jars")),
        "/opt/spark/server-monitoring.py": str(PROJECT / "app/src/server_monitoring/__main__.py"),
        ARCHIVE: str(archive),
        NEW_ARCHIVE: str(archive),
        "%i": spark_data.RUN_ID,
        "${WAIT}": "0",
    }
    words = shlex.split(line)
    for node, here in places.items():
        words = [word.replace(node, here) for word in words]
    return words


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
    return Command([str(reference.resolve() / group), *inputs], directory, environment())


def environment() -> dict[str, str]:
    """Return what a job's unit sets, on top of this process's own."""
    tools = str(Path(sys.executable).parent)
    own = {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PYTHONPATH": str(PROJECT / "app" / "src"),
        "PYTHONUNBUFFERED": "1",
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    return {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"} | own
