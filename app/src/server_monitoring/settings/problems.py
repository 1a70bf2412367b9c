"""All that is wrong with a configuration, not only the first thing."""

from collections.abc import Mapping
from pathlib import Path

from server_monitoring.broker.limits import CLIENTS, NO_COMPRESSION
from server_monitoring.errors import ConfigError
from server_monitoring.model.timestamps import SECONDS_PER_DAY
from server_monitoring.settings.config import parse
from server_monitoring.settings.strict import Node

_SOURCE = Path("configuration")
# What stands in for a value that is wrong, while the others are looked at.
_RIGHT: dict[str, object] = {
    "kafka_client": CLIENTS[0],
    "compression": NO_COMPRESSION,
    "bootstrap_servers": ["broker:9092"],
    "data_dir": "/",
    "broker_timeout": SECONDS_PER_DAY,
    "full_disk_timeout": SECONDS_PER_DAY,
    "idle_timeout": SECONDS_PER_DAY,
    "window_seconds": SECONDS_PER_DAY,
    "slide_seconds": 1,
    "start": "00:00:00",
}
_RIGHT_THRESHOLD = 0


def problems(values: Mapping[str, object], prefix: str) -> list[str]:
    """Return what is wrong with a configuration that is not in a file yet, a line for each.

    Keys are named with `prefix`, as the caller knows them. Where what is wrong with a metric group
    hides the rest, that is told once the group is mended.
    """
    found: list[str] = []
    rest = dict(values)
    while True:
        try:
            parse(Node(_SOURCE, "", rest))
        except ConfigError as error:
            problem = str(error).removeprefix(f"{_SOURCE}: ")
            found.append(prefix + problem)
            if not _mend(rest, problem.partition(": ")[0]):
                return found
        else:
            return found


def _mend(values: dict[str, object], path: str) -> bool:
    """Put a right value into the place of a wrong one; return whether that is possible."""
    key, _, name = path.partition(".")
    thresholds = values.get("thresholds")
    if key in _RIGHT and values.get(key) != _RIGHT[key]:
        values[key] = _RIGHT[key]
        return True
    if key == "thresholds" and isinstance(thresholds, dict) and name in thresholds:
        if thresholds[name] == _RIGHT_THRESHOLD:
            return False
        values[key] = {**thresholds, name: _RIGHT_THRESHOLD}
        return True
    return False
