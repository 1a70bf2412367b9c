"""A run as the short text that ends it. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from server_monitoring.errors import counted, printable

Facts = Mapping[str, Any]


def run_table(facts: Facts) -> str:
    """Return a manifest as a short text: rows, windows, alerts, seconds, versions."""
    dataset, seconds = facts["dataset"], facts["seconds"]
    title = f"Run {facts['run_id']} succeeded in {seconds['total']} s"
    steps = ", ".join(f"{step} {s}" for step, s in seconds.items() if step != "total")
    lines = [f"{title}: {counted(dataset['rows'], 'row')} of {dataset['name']}", ""]
    lines += [*_topics(facts), *_groups(facts), *_set_aside(dataset), *_losses(facts)]
    lines += [*_left_out(facts), "", f"Seconds: {steps}", _versions(facts)]
    return "\n".join(map(printable, lines))


def _topics(facts: Facts) -> Iterator[str]:
    yield f"{'topic':<14}{'rows in':>12}{'rows out':>12}{'produced/s':>12}{'stored/s':>12}"
    for name, topic in facts["topics"].items():
        yield (
            f"{name:<14}{topic['rows_in']:>12,}{topic['rows_out']:>12,}"
            f"{topic['produced_per_second']:>12,}{topic['stored_per_second']:>12,}"
        )


def _groups(facts: Facts) -> Iterator[str]:
    for group in facts["groups"].values():
        yield from ("", f"{group['file']}: {counted(group['windows'], 'window')}")
        for label, count in group["alerts"].items():
            yield f"  {label:<42}{count:>8,}"


def _set_aside(dataset: Facts) -> Iterator[str]:
    """Yield what of the data set was not sent, and where it is."""
    bad, empty = dataset["bad_rows"], dataset.get("empty_lines", 0)
    if bad or empty:
        yield ""
    if bad:
        where = f", listed in {dataset['bad_rows_file']}" if "bad_rows_file" in dataset else ""
        yield f"Set aside: {counted(bad, 'bad row')}{where}"
    if empty:
        yield f"Skipped: {counted(empty, 'empty line')}"


def _losses(facts: Facts) -> Iterator[str]:
    """Yield what is not in the tables: records that were not stored, and corrupt rows."""
    if any(facts["left_out"].values()):
        counts = ", ".join(f"{count:,} {name}" for name, count in facts["left_out"].items())
        yield from ("", f"Records not stored: {counts}")
    corrupt = [
        f"Corrupt in {topic}: {counted(count, 'line')} set aside in the consumer's corrupt-*.csv, "
        f"{counted(facts['lost_rows'][topic], 'row')} lost"
        for topic, count in facts["corrupt_rows"].items()
        if count or facts["lost_rows"][topic]
    ]
    yield from ("", *corrupt) if corrupt else ()


def _left_out(facts: Facts) -> Iterator[str]:
    """Yield what the analysis left out of the tables, by its rules and settings."""
    start = facts["settings"]["start"]
    lines = [
        *_counted(facts["topics"], "repeated_rows", "Rows with an earlier one's time and server"),
        *_counted(facts["topics"], "rows_before_start", f"Rows before the start {start}"),
        *_counted(facts["topics"], "rows_alone", "Rows that the other metric has no partner for"),
        *_counted(facts["groups"], "windows_before_start", f"Windows before the start {start}"),
        *_counted(facts["groups"], "windows_of_one_metric", "Windows of one metric alone"),
    ]
    yield from ("", *lines) if lines else ()


def _counted(entries: Facts, key: str, what: str) -> Iterator[str]:
    """Yield a line of what was left out, if anything was; older manifests have no such key."""
    counts = [f"{n:,} of {name}" for name, entry in entries.items() if (n := entry.get(key, 0))]
    if counts:
        yield f"{what}, left out: {', '.join(counts)}"


def _versions(facts: Facts) -> str:
    versions, overlay = facts["versions"], facts["overlay"]
    parts = [f"{name} {versions[name.lower()]}" for name in ("Kafka", "Spark", "Java")]
    brokers = facts.get("brokers", 1)  # older manifests do not say
    parts[:1] = [parts[0], f"{brokers} brokers"] if brokers > 1 else parts[:1]
    double = " (the lab's double)" if overlay["is_double"] else ""
    return ", ".join([*parts, f"app {versions['app']}", f"ZeroTier {overlay['version']}{double}"])
