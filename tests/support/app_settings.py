"""A valid configuration for tests, as plain values."""

from pathlib import Path
from typing import Any

import yaml


def settings(data_dir: Path, servers: tuple[str, ...] = ("127.0.0.1:9",)) -> dict[str, Any]:
    """Return the two metric groups with the general defaults."""
    return {
        "kafka_client": "kafka-python",
        "compression": "none",
        "broker_timeout": 120,
        "full_disk_timeout": 300,
        "bootstrap_servers": list(servers),
        "data_dir": str(data_dir),
        "window_seconds": 30,
        "slide_seconds": 10,
        "start": "20:52:00",
        "thresholds": {"cpu_pct": 82.1, "mem_pct": 80.02, "net_in": 3688.63, "disk_io": 4166.53},
        "groups": {
            "cpu_mem": metric_group(
                {"topic-cpu": ("cpu_pct", "avg_cpu"), "topic-mem": ("mem_pct", "avg_mem")},
                ("average", "windows", "team_47_CPU_MEM.csv"),
                ("High CPU + Memory stress", "CPU spike suspected", "Memory saturation suspected"),
            ),
            "net_disk": metric_group(
                {"topic-net": ("net_in", "max_net_in"), "topic-disk": ("disk_io", "max_disk_io")},
                ("maximum", "rows", "team_47_NET_DISK.csv"),
                (
                    "Network flood + Disk thrash suspected",
                    "Possible DDoS",
                    "Disk thrash suspected",
                ),
            ),
        },
        "consumers": {
            "cpu_mem": {"index": 0, "hosts": 1},
            "net_disk": {"index": 0, "hosts": 1},
        },
    }


def live_section(**changed: Any) -> dict[str, Any]:
    """Return the section of live mode with its defaults, but for what is `changed`."""
    return {
        "for_windows": 1,
        "clear_windows": 1,
        "lateness_seconds": 0,
        "future_seconds": 60,
        "late_hours": 2,
        "silence_seconds": 35,
        "thresholds": {},
        "alerts_topic": "topic-alerts",
        "state_topic": "topic-alert-state",
        **changed,
    }


def metric_group(
    metrics: dict[str, tuple[str, str]],
    table: tuple[str, str, str],
    labels: tuple[str, str, str],
) -> dict[str, Any]:
    """Return a metric group.

    Args:
        metrics: column and output column of each topic.
        table: aggregate, join, and the name of the file.
        labels: of both metrics above their thresholds, of the first, of the second.

    """
    return {
        "metrics": [
            {"topic": topic, "column": column, "output_column": output}
            for topic, (column, output) in metrics.items()
        ],
        **dict(zip(("aggregate", "join", "output_file"), table, strict=True)),
        "labels": dict(zip(("both", "first", "second"), labels, strict=True)),
    }


def write_settings(path: Path, values: object) -> Path:
    """Write `values` as a configuration file."""
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return path
