"""What a run's manifest says about its tables: groups, columns, thresholds, labels, windows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from server_monitoring.errors import ConfigError, ResultsError
from server_monitoring.host.durable import write_text
from server_monitoring.model import timestamps
from server_monitoring.model.groups import table_columns
from server_monitoring.model.incidents import Limit
from server_monitoring.settings.strict import Node

NAME = "manifest.json"


@dataclass(frozen=True)
class GroupResult:
    """What a run found in a metric group: its table, and counts of it.

    Attributes:
        alerts: the number of windows with each label, in the manifest's order.

    """

    name: str
    file: str
    sha256: str
    windows: int
    metrics: tuple[Limit, ...]
    alerts: dict[str, int]

    def header(self) -> list[str]:
        """Return the table's columns."""
        return table_columns(metric.output_column for metric in self.metrics)


@dataclass(frozen=True)
class Manifest:
    """A run's manifest.

    Attributes:
        start: the setting; "" for all windows.
        times_like: a time in the form and zone of the tables' times.
        facts: all of it, as read.

    """

    path: Path
    run_id: str
    window_seconds: int
    slide_seconds: int
    start: str
    times_like: str
    groups: tuple[GroupResult, ...]
    facts: Mapping[str, Any]

    def time_form(self) -> timestamps.TimeForm:
        """Return how the tables write times."""
        return timestamps.form_of(self.times_like) or timestamps.CLOCK

    def time_text(self, second: int) -> str:
        """Return a second as the tables write it."""
        return timestamps.time_text(second, self.times_like)


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a results folder.

    Raises:
        ResultsError: the folder or the manifest is missing, or something in it is wrong.

    """
    path = folder / NAME
    if not folder.is_dir():
        raise ResultsError(f"{folder}: no such folder; name one below results/")
    try:
        facts = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise ResultsError(
            f"{path}: missing, so this is not the folder of a finished run; name one below results/"
        ) from error
    except OSError as error:
        raise ResultsError(f"{path}: {error.strerror}; make it readable") from error
    except ValueError as error:
        raise ResultsError(f"{path}: not valid JSON ({error}); run the pipeline again") from error
    return _checked(path, facts)


def write_manifest(folder: Path, facts: dict[str, Any]) -> Manifest:
    """Write the manifest of a results folder, with the guarantee of `durable.replace_file`.

    Raises:
        ResultsError: `read_manifest` would refuse it.
        StorageError: the file cannot be written.

    """
    manifest = _checked(folder / NAME, facts)
    write_text(manifest.path, json.dumps(facts, indent=2) + "\n")
    return manifest


def _checked(path: Path, facts: object) -> Manifest:
    try:
        return _parse(path, Node(path, "", facts))
    except ConfigError as error:
        raise ResultsError(f"{error}; run the pipeline again") from error


def _parse(path: Path, root: Node) -> Manifest:
    settings = _child(root, "settings")
    thresholds = {
        name: n.decimal() for name, n in _child(settings, "thresholds").children().items()
    }
    groups = _child(root, "groups").children()
    start = _time(_child(settings, "start"), or_none=True)
    like = root.children().get("times_like")  # older versions leave it to the setting
    return Manifest(
        path=path,
        run_id=_text(_child(root, "run_id")),
        window_seconds=_count(_child(settings, "window_seconds"), 1),
        slide_seconds=_count(_child(settings, "slide_seconds"), 1),
        start=start,
        times_like=_time(like) if like else start or timestamps.CLOCK.epoch,
        groups=tuple(_group(name, node, thresholds) for name, node in groups.items()),
        facts=root.value if isinstance(root.value, dict) else {},
    )


def _group(name: str, node: Node, thresholds: dict[str, Decimal]) -> GroupResult:
    metrics = [
        _metric(metric, thresholds) for metric in _child(node, "metrics").items("a list of metrics")
    ]
    alerts = _child(node, "alerts").children()
    return GroupResult(
        name=name,
        file=_child(node, "file").text("a plain file name", lambda text: Path(text).name == text),
        sha256=_text(_child(node, "sha256")),
        windows=_count(_child(node, "windows"), 0),
        metrics=tuple(metrics),
        alerts={label: _count(count, 0) for label, count in alerts.items()},
    )


def _metric(node: Node, thresholds: dict[str, Decimal]) -> Limit:
    column = _text(_child(node, "column"))
    if column not in thresholds:
        raise node.fail("a column with a threshold in settings.thresholds", found=column)
    return Limit(_text(_child(node, "output_column")), column, thresholds[column])


def _child(node: Node, key: str) -> Node:
    found = node.children().get(key)
    if found is None:
        where = f"{node.path}.{key}" if node.path else key
        raise ConfigError(
            f"{node.file}: {where}: missing: another version wrote this folder, or not all of it"
        )
    return found


def _time(node: Node, *, or_none: bool = False) -> str:
    return node.text(
        timestamps.expected_forms() + (', or ""' if or_none else ""),
        lambda text: timestamps.form_of(text) is not None or (or_none and not text),
    )


def _text(node: Node) -> str:
    return node.text("a text", lambda text: text != "")


def _count(node: Node, lowest: int) -> int:
    return node.integer(lowest, 2**53)
