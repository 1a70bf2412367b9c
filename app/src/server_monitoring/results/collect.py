"""A run's results, put together from what its hosts brought: tables and a manifest.

Guarantee: each file is there whole or not at all, and the manifest comes last: a folder that has
one has all the tables that it names. What the consumers brought is removed only then, so after a
failure the same command may be given again.
"""

import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path, PurePath
from typing import Any

from server_monitoring.errors import ConfigError, ResultsError, one_line
from server_monitoring.host.durable import read_json
from server_monitoring.model.groups import Group, table_columns
from server_monitoring.model.timestamps import CLOCK
from server_monitoring.results.manifest import Manifest, write_manifest
from server_monitoring.results.merge import Told, merge
from server_monitoring.settings.groups import read_groups
from server_monitoring.settings.strict import Node

# What the consumers brought: parts/<group>/<host>.csv.
PARTS = "parts"
# What the analysis left out of the rows stored, by topic, and of the windows: see `analysis.job`.
# An older version's summary says nothing of them.
ROWS_LEFT_OUT = ("repeated_rows", "rows_before_start", "rows_alone")
WINDOWS_LEFT_OUT = ("windows_before_start", "windows_of_one_metric")
# Records that a consumer read and did not store: of other runs, not in the wire format, sent twice.
LEFT_OUT = ("foreign", "malformed", "duplicates")
Summary = dict[str, Any]


@dataclass(frozen=True)
class Facts:
    """What is known of a run that succeeded.

    Attributes:
        config: the app's configuration, as config.yml has it.
        run: its id, when it started, the data set's path on the control machine, its producer.
        produced: the producer's produce.json.
        consumed, analyzed: the consumers' consume-GROUP.json and analyze-GROUP.json.
        marks: when each step began, in seconds since the epoch.
        cluster: Kafka's version, and the overlay with its own.

    """

    config: Summary
    run: dict[str, str]
    produced: Summary
    consumed: list[Summary]
    analyzed: list[Summary]
    marks: dict[str, float]
    cluster: Summary


def collect(folder: Path, source: Path, clock: Callable[[], float] = time.time) -> Manifest:
    """Make the tables and the manifest of a results folder, and remove the parts in it.

    Args:
        folder: has the tables of each group as `parts/<group>/<host>.csv`.
        source: the run's facts, as JSON.
        clock: seconds since the epoch; it says when the run ended.

    Raises:
        ResultsError: facts or tables are missing, or do not fit together.
        StorageError: a file cannot be written.

    """
    if not folder.is_dir():
        raise ResultsError(f"{folder}: no such folder; name one with the tables of a run's hosts")
    facts = _read(source)
    try:
        groups = read_groups(Node(source, "config.groups", facts.config["groups"]))
        _check_start(facts)
        sums = {name: merge_group(folder, group, facts.analyzed) for name, group in groups.items()}
        content = manifest(facts, sums, clock())
    except ConfigError as error:
        raise ResultsError(f"{error}; run the pipeline again") from error
    except (LookupError, TypeError, AttributeError) as error:
        found = f"{type(error).__name__}: {one_line(error, 100)}"
        raise ResultsError(f"{source}: not the facts of a run ({found})") from error
    made = write_manifest(folder, content)
    shutil.rmtree(folder / PARTS, ignore_errors=True)
    return made


def _read(source: Path) -> Facts:
    try:
        return read_json(source, Facts)
    except OSError as error:
        raise ResultsError(f"{source}: {error.strerror}; name the facts of a run") from error
    except ValueError as error:
        raise ResultsError(f"{source}: {error}, expected the facts of a run") from error


def merge_group(folder: Path, group: Group, analyzed: Iterable[Summary]) -> str:
    """Write a group's table from the parts in a results folder, and return its sha256.

    Raises:
        ResultsError: see `merge.merge`.

    """
    parts = sorted((folder / PARTS / group.name).glob("*.csv"))
    told = [Told(a["sha256"], a["windows"]) for a in analyzed if a["group"] == group.name]
    header = table_columns(metric.output_column for metric in group.metrics)
    return merge(parts, folder / group.output_file, header, told)


def _check_start(facts: Facts) -> None:
    """Refuse a run of which some group's rows all lie before the setting start."""
    for group in facts.config["groups"]:
        own = [entry for entry in facts.analyzed if entry["group"] == group]
        stored, before = (
            sum(sum(entry.get(key, {}).values()) for entry in own)
            for key in ("rows", "rows_before_start")
        )
        lost = sum(sum(entry["lost_rows"].values()) for entry in own)
        if before and stored - lost == before:
            raise ResultsError(
                f"group {group}: all {before} rows lie before the setting start, "
                f'{facts.config["start"]}; set an earlier start, or "" for all windows'
            )


def manifest(facts: Facts, sums: Mapping[str, str], end: float) -> dict[str, Any]:
    """Return the manifest of a run whose tables have these sums, and that ended at `end`.

    Rates are in messages per second, durations in seconds, times in UTC (ISO 8601).
    """
    config, run, produced, cluster = facts.config, facts.run, facts.produced, facts.cluster
    consumed, analyzed = facts.consumed, facts.analyzed
    stored = totals(entry["rows"] for entry in consumed)
    stored_rates = totals(entry["messages_per_second"] for entry in consumed)
    rows_left_out = {
        name: totals(entry.get(name, {}) for entry in analyzed) for name in ROWS_LEFT_OUT
    }
    return {
        "run_id": run["id"],
        "started": run["started"],
        "ended": datetime.fromtimestamp(end, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "versions": {
            "app": produced["app_version"],
            "client": produced["client"],
            "kafka": cluster["kafka_version"],
            "spark": one_or_all(entry["spark_version"] for entry in analyzed),
            "java": one_or_all(entry["java_version"] for entry in analyzed),
        },
        "brokers": len(config["bootstrap_servers"]),
        "overlay": cluster["overlay"],
        "dataset": {
            **produced["dataset"],
            "name": PurePath(run["dataset"]).name,
            "bad_rows": produced["bad_rows"],
            **_set_aside(run, produced),
        },
        "settings": {
            key: config[key] for key in ("window_seconds", "slide_seconds", "start", "thresholds")
        },
        "times_like": _times_like(config["start"], analyzed),
        "topics": {
            topic: {
                "rows_in": rows,
                "rows_out": stored.get(topic, 0),
                "produced_per_second": round(produced["messages_per_second"][topic]),
                "stored_per_second": round(stored_rates.get(topic, 0)),
                **{name: counts.get(topic, 0) for name, counts in rows_left_out.items()},
            }
            for topic, rows in produced["rows"].items()
        },
        "left_out": {name: sum(entry[name] for entry in consumed) for name in LEFT_OUT},
        # Of what the consumers stored: lines that were no rows any more, and the rows so lost.
        "corrupt_rows": totals(entry["corrupt_rows"] for entry in analyzed),
        "lost_rows": totals(entry["lost_rows"] for entry in analyzed),
        "groups": {
            name: group(of, sums[name], [a for a in analyzed if a["group"] == name])
            for name, of in config["groups"].items()
        },
        "seconds": _durations({**facts.marks, "end": end}),
    }


def _times_like(start: str, analyzed: Iterable[Summary]) -> str:
    """Return a time in the form and zone of the tables' times, which are the same on all hosts.

    Raises:
        ResultsError: they differ.

    """
    found = sorted({entry.get("times_like", "") for entry in analyzed} - {""})
    if len(found) > 1:
        raise ResultsError(
            f"found tables with times like {' and '.join(found)}, expected one form; set "
            "pipeline_start to a time of the data set's form, and run the pipeline again"
        )
    return found[0] if found else start or CLOCK.epoch


def _set_aside(run: Mapping[str, str], produced: Summary) -> dict[str, str]:
    """Return where the bad rows are listed, where there are any."""
    if not produced.get("bad_rows_file"):
        return {}
    host = f"{run['producer']}:" if "producer" in run else ""
    return {"bad_rows_file": host + produced["bad_rows_file"]}


def group(of: Summary, sha256: str, analyzed: list[Summary]) -> dict[str, Any]:
    """Return what the analysis of a metric group found, summed over its hosts."""
    return {
        "file": of["output_file"],
        "sha256": sha256,
        "aggregate": of["aggregate"],
        "metrics": of["metrics"],
        "windows": sum(entry["windows"] for entry in analyzed),
        **{name: sum(entry.get(name, 0) for entry in analyzed) for name in WINDOWS_LEFT_OUT},
        "alerts": totals(entry["alerts"] for entry in analyzed),
    }


def _durations(marks: Mapping[str, float]) -> dict[str, float]:
    """Return how long each step took, and all of them together."""
    ordered = sorted(marks.items(), key=lambda mark: mark[1])
    steps = {step: round(end - start, 1) for (step, start), (_, end) in pairwise(ordered)}
    return {**steps, "total": round(ordered[-1][1] - ordered[0][1], 1)}


def totals(entries: Iterable[Mapping[str, float]]) -> dict[str, Any]:
    """Return the sums of numbers by their keys."""
    total: dict[str, Any] = {}
    for entry in entries:
        for key, value in entry.items():
            total[key] = total.get(key, 0) + value
    return total


def one_or_all(values: Iterable[str]) -> str:
    """Return the one value that all hosts have, or all of them where they differ."""
    return ", ".join(sorted(set(values)))
