"""Every row of a run accounted for: what was sent, what each offset became, and the tables."""

import csv
import json
from collections import Counter
from pathlib import Path

from tests.pipeline.accounts import as_account
from tests.pipeline.runs import CPU_MEM, DATASET, NET_DISK, RUNS, THRESHOLDS, manifest, read_table
from tests.pipeline.storm import sidecars
from tests.support.playbooks import on
from tests.support.reference_tables import tables

CONSUMERS = {"consumer-1": ("cpu", "mem"), "consumer-2": ("net", "disk")}
TOPICS = tuple(f"topic-{name}" for names in CONSUMERS.values() for name in names)
COLUMNS = {"cpu": "cpu_pct", "mem": "mem_pct", "net": "net_in", "disk": "disk_io"}
_ENDS = f"""
from kafka import KafkaConsumer, TopicPartition
consumer = KafkaConsumer(**common)
places = [TopicPartition(t, p) for t in {TOPICS} for p in consumer.partitions_for_topic(t)]
print(json.dumps([[p.topic, p.partition, end] for p, end in consumer.end_offsets(places).items()]))
"""

Offsets = dict[tuple[str, int], int]


def end_offsets() -> Offsets:
    """Return where each partition of the four topics ends now."""
    ends = json.loads(as_account("kafka-1", "operator", _ENDS))
    return {(topic, partition): end for topic, partition, end in ends}


def check(folder: Path, before: Offsets) -> None:
    """Hold a run that succeeded against the data set and against the offsets it began at.

    Raises:
        AssertionError: a row is missing or stored twice, an offset is neither stored nor counted
            as dropped, or a table differs from that of plain arithmetic.

    """
    run_id = folder.name
    facts, after = manifest(folder)["topics"], end_offsets()
    with DATASET.open(encoding="utf-8", newline="") as file:
        sent = list(csv.DictReader(file))
    for node, topics in CONSUMERS.items():
        for name in topics:
            topic = f"topic-{name}"
            wanted = Counter((row["ts"], row["server_id"], row[COLUMNS[name]]) for row in sent)
            assert Counter(_stored(node, run_id, topic)) == wanted, topic
            assert facts[topic]["rows_in"] == facts[topic]["rows_out"] == len(sent)
        _check_offsets(node, run_id, before, after)
    cpu_mem, net_disk = tables(DATASET, THRESHOLDS, "00:00:00")
    assert read_table(folder / CPU_MEM)[1] == cpu_mem
    assert read_table(folder / NET_DISK)[1] == net_disk


def _stored(node: str, run_id: str, topic: str) -> list[tuple[str, ...]]:
    """Return the rows of a topic's segments, without their headers."""
    lines = on(node, f"tail --quiet --lines=+2 {RUNS}/{run_id}/raw/{topic}/*.csv").splitlines()
    return [tuple(row) for row in csv.reader(lines, strict=True)]


def _check_offsets(node: str, run_id: str, before: Offsets, after: Offsets) -> None:
    """Each offset between the run's begin and its end was stored, or dropped and counted."""
    for sidecar in sidecars(node, run_id):
        place = (str(sidecar["topic"]), int(sidecar["partition"]))
        assert sidecar["offset"] == after[place], place
        assert (sidecar["foreign"], sidecar["malformed"]) == (0, 0), place
        counted = int(sidecar["rows"]) + int(sidecar["duplicates"])
        assert counted == after[place] - before[place], place
