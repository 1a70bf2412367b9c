"""What the figures were measured on; no names of hosts or folders."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.bench import copies
from tests.bench.lab import HEAP

_PACKAGES = ("kafka-python", "confluent-kafka", "orjson", "pyspark")
_GIB = 1024**2
_COPIES = f"where three are measured, heaps of {copies.HEAP}"


def facts(kafka_version: str) -> dict[str, str]:
    """Return cores, memory, versions and the date by their names."""
    meminfo = Path("/proc/meminfo").read_text(encoding="ascii")
    kib = int(meminfo.split("MemTotal:", 1)[1].split()[0])
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{kib / _GIB:.0f} GiB",
        "system": f"{_distribution()}, Linux {platform.release().split('-')[0]}",
        "Python": platform.python_version(),
        "Kafka": f"{kafka_version}, one broker on loopback, heap {HEAP}; {_COPIES}",
        **{package: version(package) for package in _PACKAGES},
    }


def _distribution() -> str:
    found: dict[str, str] = platform.freedesktop_os_release()
    return found.get("PRETTY_NAME", "Linux")
