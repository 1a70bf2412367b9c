"""Whatever breaks in a run: it stops with the reason, and nothing is lost.

That the next run works is shown by the disturbed runs, which come next.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.accounting import TOPICS, end_offsets
from tests.pipeline.background import in_background, kill
from tests.pipeline.disturbed import until
from tests.pipeline.outages import small_disk
from tests.pipeline.runs import DATASET, RESULTS, RUNS, Name, Run
from tests.support.playbooks import Result, on, play

# As the broker itself, on its own node.
ADMIN = "--bootstrap-server 172.29.0.1:9094 --command-config /etc/kafka/admin.properties"
ACTIVE = "systemctl list-units --plain --no-legend --state=active 'server-monitoring-*@*'"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data set of the first 300 rows, for runs that end before their tables."""
    path = tmp_path_factory.mktemp("small") / "small.csv"
    lines = DATASET.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:301]), encoding="utf-8")
    return path


@contextmanager
def starts(node: str, service: str, times: int) -> Iterator[None]:
    """Let systemd give a service up after fewer starts than its own unit says."""
    folder = f"/run/systemd/system/server-monitoring-{service}@.service.d"
    limit = f"[Unit]\\nStartLimitBurst={times}\\n"
    on(node, f"mkdir -p {folder} && printf '{limit}' > {folder}/limit.conf")
    on(node, "systemctl daemon-reload")
    try:
        yield
    finally:
        on(node, f"rm -r {folder} && systemctl daemon-reload")


@contextmanager
def stopped(node: str, service: str) -> Iterator[None]:
    """Stop a service for a while."""
    on(node, f"systemctl stop {service}")
    try:
        yield
    finally:
        on(node, f"systemctl start {service}")


def assert_stopped_at_gate(result: Result, named: str) -> None:
    """Say the step and what is wrong."""
    assert result.status != 0
    assert result.says("stopped in step gate"), result.tail()
    assert result.says(named), result.tail()


def test_broker_down_stops_the_run_at_the_gate() -> None:
    """The run names the broker's address and starts no consumer."""
    with stopped("kafka-1", "kafka"):
        result = play("run_pipeline.yml")
    assert_stopped_at_gate(result, "172.29.0.1:9094: [Errno 111] Connection refused: see whether")
    assert "Traceback" not in result.output


def test_missing_topic_stops_the_run_at_the_gate() -> None:
    """The run names the topic; provisioning makes it again."""
    on("kafka-1", f"/opt/kafka/bin/kafka-topics.sh {ADMIN} --delete --topic topic-disk")
    result = play("run_pipeline.yml")
    assert_stopped_at_gate(result, "topic-disk")
    repaired = play("provision.yml", "--tags", "kafka_topics")
    assert repaired.status == 0, repaired.tail()
    assert repaired.changed()["kafka-1"] == 1


def test_overlay_down_stops_the_run_at_the_gate() -> None:
    """The run names the host that is not on the network, and which comes back by itself."""
    with stopped("consumer-2", "zerotier-one"):
        result = play("run_pipeline.yml")
    assert result.status != 0
    expected = "consumer-2: no ZeroTier network with status OK and the address 172.29.0.4 found"
    assert result.says(expected), result.tail()
    # A service that has just started may not answer yet.
    listed = "zerotier-cli listnetworks 2>&1 || true"
    until("consumer-2 is back", lambda: "172.29.0.4/" in on("consumer-2", listed))


def test_consumer_that_cannot_live_stops_the_run(
    run_pipeline: Run, run_name: Name, small: Path
) -> None:
    """A consumer killed again and again is given up; what it had stored stays."""
    name = run_name("hopeless")
    raw = f"{RUNS}/{name}/raw/topic-cpu/0.csv"
    started = f"[ -s {raw} ]"
    killed = in_background("consumer-1", kill(f"consume --run-id {name}", started, times=3))
    with starts("consumer-1", "consume-cpu_mem", times=3):
        result, _ = run_pipeline(name, pipeline_dataset=str(small))
    assert killed() == "3"
    assert result.status != 0
    assert result.says("consumer-1: consumer of cpu_mem"), result.tail()
    assert on("consumer-1", f"head --lines=1 {raw}") == "ts,server_id,cpu_pct"
    assert on("consumer-2", ACTIVE) == ""


@pytest.mark.long
def test_disk_that_stays_full_stops_the_run_with_what_is_stored_intact(
    run_pipeline: Run, run_name: Name
) -> None:
    """A disk that stays full ends the run with the reason; sidecars and segments still agree."""
    name = run_name("full")
    with small_disk("consumer-2"):
        no_room = {"pipeline_min_free": 0, "pipeline_space_factor": 0}
        result, _ = run_pipeline(name, **no_room, pipeline_full_disk_timeout=5)
        assert result.status != 0
        assert result.says("consumer-2: consumer of net_disk"), result.tail()
        assert result.says("No space left on device"), result.tail()
        compare = (
            f"cd {RUNS}/{name}/raw; for f in */*.json; do "
            "s=$(grep -o '\"bytes\": *[0-9]*' $f | grep -o '[0-9]*$'); "
            "[ $(stat -c %s ${f%.json}.csv) -ge $s ] && echo good || echo bad; done | sort -u"
        )
        assert on("consumer-2", compare) == "good"


def test_spark_job_that_cannot_live_stops_the_run_and_keeps_the_rows(
    run_pipeline: Run, run_name: Name, small: Path
) -> None:
    """A Spark job killed again and again is named; its raw rows and the latest results stay."""
    name = run_name("sparkless")
    latest = (RESULTS / "latest").resolve()
    killed = in_background("consumer-2", kill(f"java.*analyze --run-id {name}", times=3))
    result, _ = run_pipeline(name, pipeline_dataset=str(small))
    assert killed() == "3"
    assert result.status != 0
    assert result.says("consumer-2: Spark job of net_disk"), result.tail()
    lines = on("consumer-2", f"cat {RUNS}/{name}/raw/topic-disk/*.csv | wc -l")
    assert int(lines) == 300 + 3
    assert (RESULTS / "latest").resolve() == latest


@pytest.mark.long
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
    """While a unit of a run is active, another run is refused, and no topic gets a partition."""
    name = run_name("going")
    unit = f"server-monitoring-consume-cpu_mem@{name}"
    # As the gate does.
    folders = f"{RUNS}/{name} {RUNS}/{name}/raw"
    made = f"install --directory --group=server-monitoring --mode=1770 {folders}"
    on("consumer-1", f"{made} && systemctl start {unit}")
    try:
        result = play("run_pipeline.yml")
        declared = {"kafka_topics_declared": _topics(partitions=6)}
        grown = play("provision.yml", "--tags", "kafka_topics", extra=declared)
        assert on("consumer-1", f"systemctl is-active {unit}") == "active"
    finally:
        on("consumer-1", f"systemctl stop {unit}")
    assert result.status != 0
    assert result.says(f"consumer-1: {unit}.service still runs"), result.tail()
    assert grown.status != 0
    assert grown.says(unit), grown.tail()
    assert len(end_offsets()) == 3 * len(TOPICS)


def _topics(partitions: int) -> list[dict[str, Any]]:
    rest = {"partitions": partitions, "replication_factor": 1, "configs": {}}
    return [{"name": name, **rest} for name in TOPICS]
