"""Feature levels of a Kafka cluster and of a release: plain values in and out.

A cluster's finalized levels say what its brokers may write down. A release whose own are higher can
run it; one whose metadata.version is lower cannot, and no level is ever lowered.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

METADATA = "metadata.version"
_LEVEL = re.compile(r"^(\S+)=(\d+)\b", re.MULTILINE)


def release_levels(text: str) -> dict[str, int]:
    """Return feature -> level of a release, from what its kafka-storage.sh version-mapping says.

    Raises:
        ValueError: it does not name metadata.version.

    """
    levels = {name: int(level) for name, level in _LEVEL.findall(text)}
    if METADATA not in levels:
        message = f"found no {METADATA} in {' '.join(text.split())[:200]!r}, expected its level"
        raise ValueError(message)
    return levels


def finalized_levels(answer: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Return feature -> the cluster's level, from kafka-python's answer; 0 is not in use."""
    return {name: found["finalized"][1] for name, found in answer.items() if "finalized" in found}


def refusal(finalized: Mapping[str, int], release: Mapping[str, int], version: str) -> str:
    """Return why a release cannot run the cluster, as one line; empty if it can."""
    found, most = finalized.get(METADATA, 0), release[METADATA]
    if found <= most:
        return ""
    return (
        f"kafka_version: found {version}, which holds {METADATA} {most} at most, expected a "
        f"release that holds the cluster's, {found}: a finished upgrade has no way back; set "
        "kafka_version to the release that runs, or to a newer one"
    )


def behind(finalized: Mapping[str, int], release: Mapping[str, int]) -> dict[str, int]:
    """Return feature -> the cluster's level, of those that are below the release's."""
    found = {name: finalized.get(name, 0) for name in sorted(release)}
    return {name: level for name, level in found.items() if level < release[name]}
