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
            "cpu_mem": {
                "metrics": [
                    {"topic": "topic-cpu", "column": "cpu_pct", "output_column": "avg_cpu"},
                    {"topic": "topic-mem", "column": "mem_pct", "output_column": "avg_mem"},
                ],
                "aggregate": "average",
                "join": "windows",
                "output_file": "team_47_CPU_MEM.csv",
                "labels": {
                    "both": "High CPU + Memory stress",
                    "first": "CPU spike suspected",
                    "second": "Memory saturation suspected",
                },
            },
            "net_disk": {
                "metrics": [
                    {"topic": "topic-net", "column": "net_in", "output_column": "max_net_in"},
                    {"topic": "topic-disk", "column": "disk_io", "output_column": "max_disk_io"},
                ],
                "aggregate": "maximum",
                "join": "rows",
                "output_file": "team_47_NET_DISK.csv",
                "labels": {
                    "both": "Network flood + Disk thrash suspected",
                    "first": "Possible DDoS",
                    "second": "Disk thrash suspected",
                },
            },
        },
        "consumers": {
            "cpu_mem": {"index": 0, "hosts": 1},
            "net_disk": {"index": 0, "hosts": 1},
        },
    }


def write_settings(path: Path, values: object) -> Path:
    """Write `values` as a configuration file."""
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return path
