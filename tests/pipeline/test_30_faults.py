"""Whatever breaks in a run: it stops with the reason, nothing is lost, and the next run works."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.pipeline.accounting import ADMIN
from tests.pipeline.background import in_background
from tests.pipeline.runs import (
    CPU_MEM,
    DATASET,
    NET_DISK,
    RESULTS,
    RUNS,
    THRESHOLDS,
    Name,
    Run,
    read_table,
)
from tests.support.playbooks import on, play
from tests.support.reference_tables import tables

TOPICS_TOOL = f"/opt/kafka/bin/kafka-topics.sh {ADMIN}"
ACTIVE = "systemctl list-units --plain --no-legend --state=active 'server-monitoring-*@*'"


@pytest.fixture(scope="module", autouse=True)
def _the_next_run_works(run_pipeline: Run, run_name: Name) -> Iterator[None]:
    """After all that these tests break, a plain run gives the exact tables again."""
    yield
    result, folder = run_pipeline(run_name("after-faults"))
    assert result.status == 0, result.tail()
    assert read_table(folder / CPU_MEM)[1] == tables(DATASET, THRESHOLDS, "00:00:00")[0]


def kill(process: str, when: str = "true", times: int = 1) -> str:
    """Return a script that sends SIGKILL to `process`, `times` times, once `when` succeeds.

    It waits at most a minute for each, and prints how often it has killed.
    """
    # The brackets keep the pattern from matching the shell that holds it.
    pattern = f"[{process[0]}]{process[1:]}"
    return (
        f"n=0; for i in $(seq 1200); do {when} && break; sleep 0.05; done; "
        f"for i in $(seq 600); do pkill -KILL -f '{pattern}' && n=$((n+1)); "
        f"[ $n -ge {times} ] && break; sleep 0.1; done; echo $n"
    )


def test_broker_down_stops_the_run_at_the_gate() -> None:
    """The run names the broker's address and starts no consumer."""
    on("kafka-1", "systemctl stop kafka")
    try:
        result = play("run_pipeline.yml")
    finally:
        on("kafka-1", "systemctl start kafka")
    assert result.status != 0
    assert result.says("stopped in step gate"), result.tail()
    assert result.says("172.29.0.1:9092"), result.tail()
    assert "Traceback" not in result.output


def test_missing_topic_stops_the_run_at_the_gate() -> None:
    """The run names the topic; provisioning makes it again."""
    on("kafka-1", f"{TOPICS_TOOL} --delete --topic topic-disk")
    result = play("run_pipeline.yml")
    assert result.status != 0
    assert result.says("stopped in step gate"), result.tail()
    assert result.says("topic-disk"), result.tail()
    repaired = play("provision.yml", "--tags", "kafka_topics")
    assert repaired.status == 0, repaired.tail()
    assert repaired.changed()["kafka-1"] == 1


def test_overlay_down_stops_the_run_at_the_gate() -> None:
    """The run names the host that is not on the network."""
    on("consumer-2", "systemctl stop zerotier-one")
    try:
        result = play("run_pipeline.yml")
    finally:
        on("consumer-2", "systemctl start zerotier-one")
    assert result.status != 0
    expected = "consumer-2: no ZeroTier network with status OK and the address 172.29.0.4 found"
    assert result.says(expected), result.tail()
    assert play("provision.yml", "--tags", "zerotier").status == 0


def test_consumer_that_cannot_live_stops_the_run(run_pipeline: Run, run_name: Name) -> None:
    """A consumer killed again and again is given up; what it had stored stays."""
    name = run_name("hopeless")
    raw = f"{RUNS}/{name}/raw/topic-cpu/0.csv"
    started = f"[ -s {raw} ]"
    killed = in_background("consumer-1", kill(f"consume --run-id {name}", started, times=10))
    result, _ = run_pipeline(name)
    assert int(killed()) >= 5
    assert result.status != 0
    assert result.says("consumer-1: consumer of cpu_mem"), result.tail()
    assert on("consumer-1", f"head --lines=1 {raw}") == "ts,server_id,cpu_pct"
    assert on("consumer-2", ACTIVE) == ""


def test_disk_that_stays_full_stops_the_run_with_what_is_stored_intact(
    run_pipeline: Run, run_name: Name
) -> None:
    """A disk that stays full ends the run with the reason; sidecars and segments still agree."""
    name = run_name("full")
    owner = "uid=$(id -u server-monitoring),gid=$(id -g server-monitoring)"
    on("consumer-2", f"mount -t tmpfs -o size=600k,mode=0750,{owner} tmpfs {RUNS}")
    try:
        result, _ = run_pipeline(name, pipeline_min_free=0, pipeline_full_disk_timeout=5)
        assert result.status != 0
        assert result.says("consumer-2: consumer of net_disk"), result.tail()
        assert result.says("No space left on device"), result.tail()
        compare = (
            f"cd {RUNS}/{name}/raw; for f in */*.json; do "
            "s=$(grep -o '\"bytes\": *[0-9]*' $f | grep -o '[0-9]*$'); "
            "[ $(stat -c %s ${f%.json}.csv) -ge $s ] && echo good || echo bad; done | sort -u"
        )
        assert on("consumer-2", compare) == "good"
    finally:
        on("consumer-2", f"umount {RUNS}")


def test_killed_spark_job_begins_anew(run_pipeline: Run, run_name: Name) -> None:
    """SIGKILL in the middle costs time, and no alert."""
    name = run_name("spark")
    killed = in_background("consumer-2", kill(f"java.*analyze --run-id {name}"))
    result, folder = run_pipeline(name)
    assert killed() == "1"
    assert result.status == 0, result.tail()
    unit = f"server-monitoring-analyze-net_disk@{name}"
    assert on("consumer-2", f"journalctl --unit={unit} | grep -c code=killed") == "1"
    assert read_table(folder / NET_DISK)[1] == tables(DATASET, THRESHOLDS, "00:00:00")[1]


def test_spark_job_that_cannot_live_stops_the_run_and_keeps_the_rows(
    run_pipeline: Run, run_name: Name
) -> None:
    """A Spark job killed again and again is named; its raw rows and the latest results stay."""
    name = run_name("sparkless")
    latest = (RESULTS / "latest").resolve()
    killed = in_background("consumer-2", kill(f"java.*analyze --run-id {name}", times=3))
    result, _ = run_pipeline(name)
    assert int(killed()) == 3
    assert result.status != 0
    assert result.says("consumer-2: Spark job of net_disk"), result.tail()
    lines = on("consumer-2", f"cat {RUNS}/{name}/raw/topic-disk/*.csv | wc -l")
    assert int(lines) == 25_920 + 3
    assert (RESULTS / "latest").resolve() == latest


def test_producer_that_cannot_live_stops_the_run(run_pipeline: Run, run_name: Name) -> None:
    """A producer killed again and again is given up, and the consumers are stopped."""
    name = run_name("powerless")
    killed = in_background("producer-1", kill(f"produce --run-id {name}", times=11))
    result, _ = run_pipeline(name)
    assert int(killed()) >= 5
    assert result.status != 0
    assert result.says("producer-1: producer"), result.tail()
    assert on("consumer-1", ACTIVE) == ""


def test_run_in_progress_is_left_alone(run_name: Name) -> None:
    """While a unit of a run is active another run is refused, by that unit's name."""
    unit = f"server-monitoring-consume-cpu_mem@{run_name('going')}"
    on("consumer-1", f"systemctl start {unit}")
    try:
        result = play("run_pipeline.yml")
        assert result.status != 0
        assert result.says(f"consumer-1: {unit}.service still runs"), result.tail()
        assert on("consumer-1", f"systemctl is-active {unit}") == "active"
    finally:
        on("consumer-1", f"systemctl stop {unit}")


def test_growing_partitions_is_refused_during_a_run(run_name: Name) -> None:
    """While a consumer of a run is active, no topic gets another partition."""
    unit = f"server-monitoring-consume-cpu_mem@{run_name('grow')}"
    on("consumer-1", f"systemctl start {unit}")
    try:
        declared = {"kafka_topics_declared": _topics(partitions=6)}
        result = play("provision.yml", "--tags", "kafka_topics", extra=declared)
    finally:
        on("consumer-1", f"systemctl stop {unit}")
    assert result.status != 0
    assert result.says(unit), result.tail()
    described = on("kafka-1", f"{TOPICS_TOOL} --describe --topic topic-cpu | head -1")
    assert "PartitionCount: 3" in described


def _topics(partitions: int) -> list[dict[str, Any]]:
    names = ("topic-cpu", "topic-mem", "topic-net", "topic-disk")
    rest = {"partitions": partitions, "replication_factor": 1, "configs": {}}
    return [{"name": name, **rest} for name in names]
