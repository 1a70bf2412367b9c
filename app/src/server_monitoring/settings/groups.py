"""The metric groups of a configuration, their thresholds, and this host's share of them."""

import re
from decimal import Decimal

from server_monitoring.model.groups import (
    AVERAGE,
    JOIN_ROWS,
    JOIN_WINDOWS,
    MAXIMUM,
    TABLE_COLUMNS,
    Group,
    Labels,
    Metric,
    Share,
)
from server_monitoring.settings.strict import Node

TOPIC_NAME = "a topic name: 1 to 249 of A-Z a-z 0-9 . _ -"
TOPIC_PATTERN = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}")  # Kafka's own rule
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,120}\.csv")
_LABEL = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


def read_thresholds(node: Node, groups: dict[str, Group]) -> dict[str, Decimal]:
    """Return the threshold of each column of the groups."""
    columns = {m.column for group in groups.values() for m in group.metrics}
    return {name: n.decimal() for name, n in node.fields(sorted(columns)).items()}


def read_groups(node: Node) -> dict[str, Group]:
    """Return the metric groups by name; no two share a topic or an output file."""
    groups: dict[str, Group] = {}
    topics: set[str] = set()
    files: set[str] = set()
    for name, child in node.children().items():
        if _NAME.fullmatch(name) is None:
            raise child.fail("a name of letters, digits and underscores", found=name)
        groups[name] = group = _group(name, child)
        for metric in group.metrics:
            if metric.topic in topics:
                raise child.fail("a topic of its own for each metric", found=metric.topic)
            topics.add(metric.topic)
        if group.output_file in files:
            raise child.fail("an output file of its own for each group", found=group.output_file)
        files.add(group.output_file)
    if not groups:
        raise node.fail("at least one metric group")
    return groups


def _group(name: str, node: Node) -> Group:
    keys = node.fields(("metrics", "aggregate", "join", "output_file", "labels"))
    metrics = [_metric(n) for n in keys["metrics"].items("a list of two metrics")]
    if len(metrics) != len(("first", "second")):
        raise keys["metrics"].fail("exactly two metrics", found=f"{len(metrics)} metrics")
    outputs = {m.output_column for m in metrics}
    if len(outputs) != len(metrics) or outputs & {*TABLE_COLUMNS}:
        raise keys["metrics"].fail("output columns that differ", found=sorted(outputs))
    labels = keys["labels"].fields(("both", "first", "second"))
    texts = {key: n.text("a text without control characters", _LABEL) for key, n in labels.items()}
    return Group(
        name=name,
        metrics=(metrics[0], metrics[1]),
        aggregate=keys["aggregate"].choice(AVERAGE, MAXIMUM),
        join=keys["join"].choice(JOIN_WINDOWS, JOIN_ROWS),
        output_file=keys["output_file"].text("a plain file name ending in .csv", _FILE),
        labels=Labels(**texts),
    )


def _metric(node: Node) -> Metric:
    keys = node.fields(("topic", "column", "output_column"))
    named = "a name of letters, digits and underscores"
    column = keys["column"].text(
        f"{named}, not ts or server_id",
        lambda text: _NAME.fullmatch(text) is not None and text not in {"ts", "server_id"},
    )
    topic = keys["topic"].text(TOPIC_NAME, TOPIC_PATTERN)
    return Metric(topic, column, keys["output_column"].text(named, _NAME))


def read_consumers(node: Node, groups: dict[str, Group]) -> dict[str, Share]:
    """Return this host's share of each group that it consumes."""
    shares = {}
    for name, child in node.children().items():
        if name not in groups:
            raise child.fail("a group named in groups: " + ", ".join(groups), found=name)
        keys = child.fields(("index", "hosts"))
        hosts = keys["hosts"].integer(1, 10_000)
        shares[name] = Share(keys["index"].integer(0, hosts - 1), hosts)
    return shares
