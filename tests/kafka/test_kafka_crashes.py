"""Processes killed at random moments: the files of such a run are those of a calm one."""

import json
import random
import subprocess
import time
from pathlib import Path

from kafka import TopicPartition
from kafka.admin import ConfigResource, KafkaAdminClient

from tests.kafka.kafka_broker import PATIENCE, Pipeline
from tests.kafka.kafka_runs import (
    BY_EACH_WAY,
    check_all_stored,
    end_offsets,
    run_through,
    topics,
    write_dataset,
)

GROUPS = ("cpu_mem", "net_disk")
ROWS = 15_000
KILLS = {"producer": 5, "cpu_mem": 3, "net_disk": 3}
BETWEEN_KILLS = 1.5
"""Seconds from one kill of the producer to the next, on average."""
PACE = int(ROWS / (BETWEEN_KILLS * KILLS["producer"]))
"""Rows a second: the producer is at work until its last kill, on a machine of any speed."""


class Storm:
    """Three processes that run at the same time, each killed some times and started again."""

    def __init__(self, pipeline: Pipeline, dataset: Path, run_id: str) -> None:
        """Start the consumers, wait until they are ready, and start the producer."""
        self._pipeline = pipeline
        consume = ["consume", "--run-id", run_id, "--group"]
        self._commands = {
            "producer": [
                *("produce", "--run-id", run_id, "--dataset", str(dataset)),
                *("--rate", str(PACE)),
            ],
            **{group: [*consume, group] for group in GROUPS},
        }
        self._processes: dict[str, subprocess.Popen[str]] = {}
        for group in GROUPS:
            self._start(group)
        for process in self._processes.values():
            assert process.stderr is not None
            assert process.stderr.readline().startswith("ready: ")
        self._start("producer")

    def _start(self, name: str) -> None:
        command = self._pipeline.command(*self._commands[name])
        environment = self._pipeline.environment()
        self._processes[name] = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env=environment
        )

    def kill(self, name: str) -> bool:
        """Kill a process, wherever it is; return whether it was still running."""
        process = self._processes[name]
        running = process.poll() is None
        process.kill()
        _, err = process.communicate(timeout=PATIENCE)
        assert "error" not in err, err
        return running

    def _await_first_rows(self) -> None:
        """Wait until the producer has sent some, or a busy machine would kill each start of it."""
        told = self._processes["producer"].stderr
        assert told is not None
        while not told.readline().startswith("sent "):
            pass

    def rage(self, rng: random.Random) -> int:
        """Kill each process some times at random moments; return how often one was running."""
        # A start takes a second before the first record; a consumer is hit at any time.
        moments = [
            (BETWEEN_KILLS * i + rng.uniform(1.0, BETWEEN_KILLS), "producer")
            for i in range(KILLS["producer"])
        ]
        last = max(moments)[0]
        for group in GROUPS:
            moments += [(rng.uniform(0.8, last), group) for _ in range(KILLS[group])]
        self._await_first_rows()
        began, kills = time.monotonic(), 0
        for moment, name in sorted(moments):
            time.sleep(max(0.0, began + moment - time.monotonic()))
            kills += self.kill(name)
            self._start(name)
        return kills

    def end(self) -> None:
        """Kill all that still runs."""
        for process in self._processes.values():
            process.kill()
            process.communicate(timeout=PATIENCE)


def files(pipeline: Pipeline, run_id: str) -> dict[str, bytes]:
    """Return the segments' contents by their names."""
    raw = pipeline.run_directory(run_id) / "raw"
    return {str(path.relative_to(raw)): path.read_bytes() for path in raw.glob("*/*.csv")}


def check_offsets(pipeline: Pipeline, run_id: str, before: dict[TopicPartition, int]) -> int:
    """Account for each offset: stored once, or dropped and counted; return the duplicates."""
    duplicates = 0
    for tp, start in before.items():
        path = pipeline.run_directory(run_id) / "raw" / tp.topic / f"{tp.partition}.json"
        state = json.loads(path.read_text())
        seen = state["rows"] + state["foreign"] + state["malformed"] + state["duplicates"]
        assert state["offset"] - start == seen, tp
        assert (state["foreign"], state["malformed"]) == (0, 0)
        duplicates += state["duplicates"]
    return duplicates


@BY_EACH_WAY
def test_a_run_whose_processes_are_killed_has_the_files_of_a_calm_one(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """Eleven kills, on topics that the broker compresses; every row once, every file alike."""
    admin = KafkaAdminClient(bootstrap_servers=pipeline.broker.address)
    for topic in topics(pipeline):
        admin.alter_configs([ConfigResource("TOPIC", topic, {"compression.type": "gzip"})])
    admin.close()
    dataset = tmp_path / "m.csv"
    rows = write_dataset(dataset, ROWS)
    run_through(pipeline, "calm", dataset)
    before = end_offsets(pipeline)
    storm = Storm(pipeline, dataset, "storm")
    try:
        kills = storm.rage(random.Random(47))
    finally:
        storm.end()
    run_through(pipeline, "storm", dataset)
    assert kills == sum(KILLS.values())
    check_all_stored(pipeline, "storm", rows)
    assert files(pipeline, "storm") == files(pipeline, "calm")
    duplicates = check_offsets(pipeline, "storm", before)
    summaries = [
        json.loads((pipeline.run_directory("storm") / f"consume-{group}.json").read_text())
        for group in GROUPS
    ]
    assert sum(summary["duplicates"] for summary in summaries) == duplicates
    produced = json.loads((pipeline.run_directory("storm") / "produce.json").read_text())
    assert set(produced["rows"].values()) == {ROWS}
    assert min(produced["sent_before"].values()) > 0
