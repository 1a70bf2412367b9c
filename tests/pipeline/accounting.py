"""Every row of a run accounted for: what was sent, what each offset became, and the tables."""

import csv
from collections import Counter
from pathlib import Path

from tests.pipeline.runs import CPU_MEM, DATASET, NET_DISK, RUNS, THRESHOLDS, manifest, read_table
from tests.pipeline.storm import sidecars
from tests.support.playbooks import on
from tests.support.reference_tables import tables

CONSUMERS = {"consumer-1": ("cpu", "mem"), "consumer-2": ("net", "disk")}
COLUMNS = {"cpu": "cpu_pct", "mem": "mem_pct", "net": "net_in", "disk": "disk_io"}
# As the broker itself, on its own node.
ADMIN = "--bootstrap-server 172.29.0.1:9094 --command-config /etc/kafka/admin.properties"
GET_OFFSETS = f"/opt/kafka/bin/kafka-get-offsets.sh {ADMIN}"

Offsets = dict[tuple[str, int], int]


def end_offsets() -> Offsets:
    """Return where each partition of the four topics ends now."""
    lines = on("kafka-1", f"{GET_OFFSETS} --topic-partitions 'topic-.*'").splitlines()
    fields = [line.rsplit(":", 2) for line in lines]
    return {(topic, int(partition)): int(end) for topic, partition, end in fields}


def check(folder: Path, before: Offsets) -> None:
    """Hold a run that succeeded against the data set and against the offsets it began at.

    Raises:
        AssertionError: a row is missing or stored twice, an offset is neither stored nor counted
            as dropped, or a table differs from that of plain arithmetic.

    """
    run_id = folder.name
    facts = manifest(folder)["topics"]
    with DATASET.open(encoding="utf-8", newline="") as file:
        sent = list(csv.DictReader(file))
    for node, topics in CONSUMERS.items():
        for name in topics:
            topic = f"topic-{name}"
            wanted = Counter((row["ts"], row["server_id"], row[COLUMNS[name]]) for row in sent)
            assert Counter(_stored(node, run_id, topic)) == wanted, topic
            assert facts[topic]["rows_in"] == facts[topic]["rows_out"] == len(sent)
        _check_offsets(node, run_id, before)
    cpu_mem, net_disk = tables(DATASET, THRESHOLDS, "00:00:00")
    assert read_table(folder / CPU_MEM)[1] == cpu_mem
    assert read_table(folder / NET_DISK)[1] == net_disk


def _stored(node: str, run_id: str, topic: str) -> list[tuple[str, ...]]:
    """Return the rows of a topic's segments, without their headers."""
    lines = on(node, f"tail --quiet --lines=+2 {RUNS}/{run_id}/raw/{topic}/*.csv").splitlines()
    return [tuple(row) for row in csv.reader(lines, strict=True)]


def _check_offsets(node: str, run_id: str, before: Offsets) -> None:
    """Each offset between the run's begin and its end was stored, or dropped and counted."""
    after = end_offsets()
    for sidecar in sidecars(node, run_id):
        place = (str(sidecar["topic"]), int(sidecar["partition"]))
        assert sidecar["offset"] == after[place], place
        assert (sidecar["foreign"], sidecar["malformed"]) == (0, 0), place
        counted = int(sidecar["rows"]) + int(sidecar["duplicates"])
        assert counted == after[place] - before[place], place
