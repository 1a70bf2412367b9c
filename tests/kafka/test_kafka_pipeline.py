"""Producer and consumers against a real broker."""

import csv
import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from server_monitoring.host.progress import read

from tests.kafka.kafka_broker import PATIENCE, Pipeline
from tests.kafka.kafka_runs import (
    BY_EACH_WAY,
    BY_ONE_CLIENT,
    HEADER,
    check_all_stored,
    consumer,
    finish,
    publish_end,
    run_through,
    running,
    stored,
    topics,
    write_dataset,
)
from tests.support.app_settings import write_settings

GROUPS = ("cpu_mem", "net_disk")


def test_every_row_is_stored_once_in_each_topic(pipeline: Pipeline, tmp_path: Path) -> None:
    """From file to segments, with summaries that add up."""
    rows = write_dataset(tmp_path / "m.csv", 20_000)
    said = run_through(pipeline, "r1", tmp_path / "m.csv")
    assert said.startswith("ready: sending 20,000 rows")
    check_all_stored(pipeline, "r1", rows)
    produced = json.loads((pipeline.run_directory("r1") / "produce.json").read_text())
    for group in GROUPS:
        summary = json.loads((pipeline.run_directory("r1") / f"consume-{group}.json").read_text())
        assert summary["foreign"] == summary["malformed"] == 0
        for topic, count in summary["rows"].items():
            assert count == produced["rows"][topic] == 20_000
            assert summary["partitions"][topic] == [0, 1, 2]
            assert summary["messages_per_second"][topic] > 0
            assert produced["messages_per_second"][topic] > 0


def test_records_on_the_wire_are_the_reference_format_in_kafkas_own_partition(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """Another client reads key, JSON and headers, and would have chosen the same partition."""
    rows = write_dataset(tmp_path / "m.csv", 7)
    pipeline.run("produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv"))
    topic = next(iter(topics(pipeline)))
    reader = KafkaConsumer(bootstrap_servers=pipeline.broker.address, auto_offset_reset="earliest")
    other = KafkaProducer(bootstrap_servers=pipeline.broker.address)
    try:
        reader.assign([TopicPartition(topic, p) for p in range(3)])
        found: list[Any] = []
        deadline = time.monotonic() + 20
        while len(found) < 7 and time.monotonic() < deadline:
            found += [r for batch in reader.poll(500).values() for r in batch]
        assert len(found) == 7
        for record in found:
            value = json.loads(record.value)
            line = int(dict(record.headers)["row"])
            assert dict(record.headers)["run_id"] == b"r1"
            row = rows[line - 2]
            assert [value["ts"], value["server_id"], str(value["cpu_pct"])] == row[:3]
            assert record.key == row[1].encode()
            assert other.send(topic, b"x", key=record.key).get(10).partition == record.partition
            assert abs(record.timestamp / 1000 - time.time()) < 60
    finally:
        reader.close()
        other.close()


@BY_EACH_WAY
def test_a_killed_consumer_resumes_and_ends_with_the_same_rows(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """Killed without warning while records arrive, twice; nothing is lost or doubled."""
    rows = write_dataset(tmp_path / "m.csv", 30_000)
    producer = None
    for _ in range(2):
        with consumer(pipeline, "r1", "cpu_mem") as process:
            if producer is None:
                producer = subprocess.Popen(
                    pipeline.command(
                        "produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv")
                    ),
                    stderr=subprocess.DEVNULL,
                    env=pipeline.environment(),
                )
            assert process.stderr is not None
            while " 0 of topic-mem" in process.stderr.readline():
                pass
            process.kill()
    assert producer is not None
    assert producer.wait(timeout=PATIENCE) == 0
    publish_end(pipeline, "r1")
    for group in ("cpu_mem",):
        with consumer(pipeline, "r1", group) as process:
            finish(process)
    for topic, place in list(topics(pipeline).items())[:2]:
        found = stored(pipeline, "r1", topic)
        assert sorted(found) == sorted([row[0], row[1], row[place]] for row in rows)


@BY_EACH_WAY
def test_sigterm_stores_what_came_and_a_restart_finishes_the_run(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """Status 0, no summary before the end."""
    rows = write_dataset(tmp_path / "m.csv", 5_000)
    summary = pipeline.run_directory("r1") / "consume-cpu_mem.json"
    with consumer(pipeline, "r1", "cpu_mem") as process:
        pipeline.run("produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv"))
        process.send_signal(signal.SIGTERM)
        assert "stopped before the end" in finish(process)
    assert not summary.exists()
    publish_end(pipeline, "r1")
    with consumer(pipeline, "r1", "cpu_mem") as process:
        finish(process)
    assert list(json.loads(summary.read_text())["rows"].values()) == [5_000, 5_000]
    assert len(stored(pipeline, "r1", next(iter(topics(pipeline))))) == len(rows)


def test_records_of_other_runs_are_counted_and_not_stored(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """An earlier run's, another writer's, and those without headers."""
    write_dataset(tmp_path / "m.csv", 100)
    pipeline.run("produce", "--run-id", "r0", "--dataset", str(tmp_path / "m.csv"))
    with consumer(pipeline, "r1", "cpu_mem") as process:
        pipeline.run("produce", "--run-id", "r2", "--dataset", str(tmp_path / "m.csv"))
        pipeline.run("produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv"))
        publish_end(pipeline, "r1")
        finish(process)
    summary = json.loads((pipeline.run_directory("r1") / "consume-cpu_mem.json").read_text())
    assert list(summary["rows"].values()) == [100, 100]
    assert summary["foreign"] == 200


def test_malformed_records_of_this_run_are_set_aside_with_offset_and_reason(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """They neither stop the consumer nor reach the segments."""
    write_dataset(tmp_path / "m.csv", 50)
    topic = next(iter(topics(pipeline)))
    with consumer(pipeline, "r1", "cpu_mem") as process:
        other = KafkaProducer(bootstrap_servers=pipeline.broker.address)
        for value in (b"\xff", b"{}", None):
            other.send(topic, value, key=b"k", headers=[("run_id", b"r1")], partition=0).get(10)
        other.close()
        pipeline.run("produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv"))
        publish_end(pipeline, "r1")
        finish(process)
    summary = json.loads((pipeline.run_directory("r1") / "consume-cpu_mem.json").read_text())
    assert (summary["malformed"], summary["rows"][topic]) == (3, 50)
    aside = pipeline.run_directory("r1") / "raw" / topic / "0.malformed.jsonl"
    entries = [json.loads(line) for line in aside.read_text().splitlines()]
    assert [entry["offset"] for entry in entries] == [0, 1, 2]
    assert [entry["value_base64"] for entry in entries] == ["/w==", "e30=", ""]


def test_two_hosts_of_a_group_share_its_partitions(pipeline: Pipeline, tmp_path: Path) -> None:
    """Both topics alike, so that a server's rows meet on one host; together they have it all."""
    rows = write_dataset(tmp_path / "m.csv", 700)
    hosts = []
    for index in (0, 1):
        values = pipeline.values | {
            "data_dir": str(tmp_path / f"host{index}"),
            "consumers": {"cpu_mem": {"index": index, "hosts": 2}},
        }
        config = write_settings(tmp_path / f"host{index}.yml", values)
        hosts.append(Pipeline(pipeline.broker, config, values, tmp_path / f"host{index}"))
    with (
        consumer(hosts[0], "r1", "cpu_mem") as first,
        consumer(hosts[1], "r1", "cpu_mem") as second,
    ):
        pipeline.run("produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv"))
        ends = publish_end(pipeline, "r1")
        for host in hosts:
            (host.run_directory("r1") / "end_offsets.json").write_text(json.dumps(ends))
        finish(first)
        finish(second)
    for topic in list(topics(pipeline))[:2]:
        raw = [
            {p.stem for p in (h.run_directory("r1") / "raw" / topic).glob("*.csv")} for h in hosts
        ]
        assert raw == [{"0", "2"}, {"1"}]
        assert sum(len(stored(host, "r1", topic)) for host in hosts) == len(rows)


@BY_ONE_CLIENT
def test_skipped_bad_rows_are_listed_and_the_rest_is_sent(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """With line and reason, in the run's bad-rows.csv."""
    path = tmp_path / "m.csv"
    path.write_text(f"{HEADER}\n20:52:00,a,1,2,3,4\n20:52:00,b,x,2,3\n20:52:10,c,1,2,3,nan\n")
    argv = ["produce", "--run-id", "r1", "--dataset", str(path)]
    assert pipeline.run(*argv).returncode == 4
    done = pipeline.run(*argv, "--on-bad-row=skip")
    assert done.returncode == 0, done.stderr
    summary = json.loads((pipeline.run_directory("r1") / "produce.json").read_text())
    assert (summary["dataset"]["rows"], summary["bad_rows"]) == (1, 2)
    assert set(summary["rows"].values()) == {1}
    with (pipeline.run_directory("r1") / "bad-rows.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["line", "reason", "row"],
            ["3", "found 5 fields, expected 6", "20:52:00,b,x,2,3"],
            ["4", "column disk_io: found 'nan', expected a finite number", "20:52:10,c,1,2,3,nan"],
        ]


def test_the_group_shows_its_progress_on_the_broker(pipeline: Pipeline, tmp_path: Path) -> None:
    """Committed offsets are the end offsets once all is stored."""
    write_dataset(tmp_path / "m.csv", 1_000)
    with consumer(pipeline, "r1", "cpu_mem") as process:
        pipeline.run("produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv"))
        ends = publish_end(pipeline, "r1")
        finish(process)
    reader = KafkaConsumer(
        bootstrap_servers=pipeline.broker.address, group_id="server-monitoring-cpu_mem"
    )
    topic = next(iter(topics(pipeline)))
    committed = {p: reader.committed(TopicPartition(topic, int(p))) for p in ends[topic]}
    reader.close()
    assert {p: n for p, n in ends[topic].items() if n} == {p: n for p, n in committed.items() if n}


@BY_ONE_CLIENT
def test_a_resumed_consumer_tells_the_rate_of_its_own_rows(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """In its words as in its summary, whose topics they sum up."""
    write_dataset(tmp_path / "m.csv", 8_000)
    argv = ["--run-id", "r1", "--dataset", str(tmp_path / "m.csv"), "--rate", "2000"]
    with running(pipeline, "ready: ", "produce", *argv) as sending:
        with consumer(pipeline, "r1", "cpu_mem") as process:
            assert process.stderr is not None
            while "stored 0 " in process.stderr.readline():
                pass
            sending.send_signal(signal.SIGSTOP)  # so that rows are left for the second one
            process.send_signal(signal.SIGTERM)
            finish(process)
        with consumer(pipeline, "r1", "cpu_mem") as process:
            sending.send_signal(signal.SIGCONT)
            finish(sending)
            publish_end(pipeline, "r1")
            err = finish(process)
    summary = json.loads((pipeline.run_directory("r1") / "consume-cpu_mem.json").read_text())
    told = read(err.splitlines()[-1])
    assert told is not None
    assert dict(told.stored) == summary["rows"]
    assert 0 < told.rate == pytest.approx(sum(summary["messages_per_second"].values()), abs=1)
