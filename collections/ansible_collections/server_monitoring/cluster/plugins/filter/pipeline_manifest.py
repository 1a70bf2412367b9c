"""A run's manifest, and the short table of it that a person reads at the end."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from itertools import pairwise
from pathlib import PurePath
from typing import Any

Facts = Mapping[str, Any]
# Records that a consumer read and did not store: of other runs, not in the wire format, sent twice.
LEFT_OUT = ("foreign", "malformed", "duplicates")


def host_facts(groups: Mapping[str, Sequence[str]], hostvars: Facts, name: str) -> list[Facts]:
    """Return the entries of the list fact `name` of all hosts that have it."""
    return [entry for host in groups["all"] for entry in hostvars[host].get(name, [])]


def manifest(
    config: Facts,
    run: Facts,
    produced: Facts,
    consumed: Iterable[Facts],
    analyzed: Iterable[Facts],
    marks: Mapping[str, float],
    cluster: Facts,
    tables: Iterable[Facts],
) -> dict[str, Any]:
    """Return the manifest of a run that succeeded.

    Rates are in messages a second, durations in seconds, times in UTC (ISO 8601). `marks` maps
    each step, in order, to the time it began (seconds since the epoch); the last one is the end.
    """
    consumed, analyzed = list(consumed), list(analyzed)
    stored = _sums(entry["rows"] for entry in consumed)
    stored_rates = _sums(entry["messages_per_second"] for entry in consumed)
    return {
        "run_id": run["id"],
        "started": run["started"],
        "ended": _utc(marks["end"]),
        "versions": {
            "app": produced["app_version"],
            "client": produced["client"],
            "kafka": cluster["kafka_version"],
            "spark": _one_or_all(entry["spark_version"] for entry in analyzed),
            "java": _one_or_all(entry["java_version"] for entry in analyzed),
        },
        "overlay": dict(cluster["overlay"]),
        "dataset": {
            **produced["dataset"],
            "name": PurePath(run["dataset"]).name,
            "bad_rows": produced["bad_rows"],
        },
        "settings": {
            key: config[key] for key in ("window_seconds", "slide_seconds", "start", "thresholds")
        },
        "topics": {
            topic: {
                "rows_in": rows,
                "rows_out": stored.get(topic, 0),
                "produced_per_second": round(produced["messages_per_second"][topic]),
                "stored_per_second": round(stored_rates.get(topic, 0)),
            }
            for topic, rows in produced["rows"].items()
        },
        "left_out": {name: sum(entry[name] for entry in consumed) for name in LEFT_OUT},
        # Of what the consumers stored: lines that were no rows any more, and the rows so lost.
        "corrupt_rows": _sums(entry["corrupt_rows"] for entry in analyzed),
        "lost_rows": _sums(entry["lost_rows"] for entry in analyzed),
        "groups": {
            name: _group(group, [a for a in analyzed if a["group"] == name], tables)
            for name, group in config["groups"].items()
        },
        "seconds": _durations(marks),
    }


def _group(group: Facts, analyzed: list[Facts], tables: Iterable[Facts]) -> dict[str, Any]:
    """Return what the analysis of one metric group found, summed over its hosts."""
    table = next(t for t in tables if t["file"] == group["output_file"])
    return {
        "file": table["file"],
        "sha256": table["sha256"],
        "aggregate": group["aggregate"],
        "metrics": [dict(metric) for metric in group["metrics"]],
        "windows": sum(entry["windows"] for entry in analyzed),
        "alerts": _sums(entry["alerts"] for entry in analyzed),
    }


def _durations(marks: Mapping[str, float]) -> dict[str, float]:
    """Return how long each step took, and the whole."""
    ordered = sorted(marks.items(), key=lambda mark: mark[1])
    steps = {step: round(end - start, 1) for (step, start), (_, end) in pairwise(ordered)}
    return {**steps, "total": round(ordered[-1][1] - ordered[0][1], 1)}


def _sums(entries: Iterable[Mapping[str, float]]) -> dict[str, Any]:
    total: dict[str, Any] = {}
    for entry in entries:
        for key, value in entry.items():
            total[key] = total.get(key, 0) + value
    return total


def _one_or_all(values: Iterable[str]) -> str:
    """Return the one value that all hosts have, or all of them where they differ."""
    return ", ".join(sorted(set(values)))


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def table(facts: Facts) -> str:
    """Return the manifest as the short text that ends a run."""
    overlay = facts["overlay"]
    double = " (the lab's double)" if overlay["is_double"] else ""
    versions, dataset = facts["versions"], facts["dataset"]
    title = f"Run {facts['run_id']} succeeded in {facts['seconds']['total']} s"
    lines = [
        f"{title}: {dataset['rows']:,} rows of {dataset['name']}",
        "",
        f"{'topic':<14}{'rows in':>12}{'rows out':>12}{'produced/s':>12}{'stored/s':>12}",
    ]
    lines += [
        f"{name:<14}{t['rows_in']:>12,}{t['rows_out']:>12,}"
        f"{t['produced_per_second']:>12,}{t['stored_per_second']:>12,}"
        for name, t in facts["topics"].items()
    ]
    for group in facts["groups"].values():
        lines += ["", f"{group['file']}: {group['windows']:,} windows"]
        lines += [f"  {label:<42}{count:>8,}" for label, count in group["alerts"].items()]
    if any(facts["left_out"].values()):
        counts = ", ".join(f"{count:,} {name}" for name, count in facts["left_out"].items())
        lines += ["", f"Records not stored: {counts}"]
    corrupt = [
        f"Corrupt in {topic}: {count:,} lines set aside in the consumer's corrupt-*.csv, "
        f"{facts['lost_rows'][topic]:,} rows lost"
        for topic, count in facts["corrupt_rows"].items()
        if count or facts["lost_rows"][topic]
    ]
    lines += ["", *corrupt] if corrupt else []
    steps = ", ".join(f"{step} {s}" for step, s in facts["seconds"].items() if step != "total")
    parts = [f"{name} {versions[name.lower()]}" for name in ("Kafka", "Spark", "Java")]
    parts += [f"app {versions['app']}", f"ZeroTier {overlay['version']}{double}"]
    lines += ["", f"Seconds: {steps}", ", ".join(parts)]
    return "\n".join(lines)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by the names that tasks use."""
        return {
            "pipeline_host_facts": host_facts,
            "pipeline_manifest": manifest,
            "pipeline_table": table,
        }
