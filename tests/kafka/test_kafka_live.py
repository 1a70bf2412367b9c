"""Live consumers on a real broker: killed again and again, across a midnight, each row once."""

import json
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import confluent_kafka
import pytest
from kafka import KafkaProducer
from server_monitoring.broker.limits import CONFLUENT, KAFKA_PYTHON
from server_monitoring.consume.alert_log import read_alerts
from server_monitoring.model.names import LIVE_RUN
from server_monitoring.model.wire import partition_for
from server_monitoring.settings.config import load

from tests.kafka.kafka_broker import PATIENCE, Pipeline, create_topics
from tests.kafka.kafka_runs import BY_ONE_CLIENT, consumer, finish, publish_end, write_dataset
from tests.support.app_settings import live_section, write_settings
from tests.support.live_rows import MIDNIGHT, stored, value

TOPICS = {"topic-cpu": "cpu_pct", "topic-mem": "mem_pct"}
SERVERS = ("a", "b", "c", "d", "e")
EACH_CLIENT = pytest.mark.parametrize("client", [KAFKA_PYTHON, CONFLUENT], indirect=True)


class Agents:
    """What agents send of cpu_mem, numbered, and the consumer that stores it."""

    def __init__(self, pipeline: Pipeline) -> None:
        """Connect."""
        self.pipeline = pipeline
        self.live = pipeline.data_dir / LIVE_RUN
        self.sent: dict[str, dict[str, list[int]]] = {}
        self._producer = KafkaProducer(
            bootstrap_servers=pipeline.broker.address, linger_ms=20, acks="all"
        )
        self._number = 0
        metrics = pipeline.values["groups"]["cpu_mem"]["metrics"]
        self.topics = {metric["topic"]: metric["column"] for metric in metrics}
        self._process: subprocess.Popen[str] | None = None
        self._log = (pipeline.data_dir.parent / "log").open("w+", encoding="utf-8")

    def send(self, seconds: list[int], run_id: str = LIVE_RUN) -> None:
        """Send a row of each second and server to both topics."""
        futures = []
        for second in seconds:
            for server in SERVERS:
                for topic, column in self.topics.items():
                    headers = [("run_id", run_id.encode()), ("row", b"%d" % second)]
                    content = value(second, self._number, column, server)
                    partition = partition_for(server, 3)
                    where = (topic, content, server.encode(), headers, partition)
                    futures.append(self._producer.send(*where))
                    if run_id == LIVE_RUN:
                        day = "2026-11-30" if second >= MIDNIGHT else "2026-11-29"
                        numbers = self.sent.setdefault(topic, {}).setdefault(day, [])
                        numbers.append(self._number)
                self._number += 1
        for future in futures:
            future.get(PATIENCE)

    def start(self) -> None:
        """Start the consumer, whatever becomes of it."""
        command = self.pipeline.command("consume", "--live", "--group", "cpu_mem")
        environment = self.pipeline.environment()
        self._before = len(self.said())
        self._process = subprocess.Popen(command, stderr=self._log, env=environment, text=True)

    def kill(self) -> None:
        """Kill it."""
        assert self._process is not None
        assert self._process.poll() is None, self.said()  # it did not end by itself
        self._process.kill()
        self._process.wait()

    def terminate(self) -> int:
        """End it in order once it is ready, and return its exit status."""
        assert self._process is not None
        self.wait_for(lambda: "ready: " in self.said()[self._before :])
        self._process.terminate()
        return self._process.wait(PATIENCE)

    def close(self) -> None:
        """End all."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._producer.close()
        self._log.close()

    def said(self) -> str:
        """Return what it wrote to standard error."""
        return Path(self._log.name).read_text(encoding="utf-8")

    def wait_for(self, what: Callable[[], bool]) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.2)

    def journals(self) -> list[dict[str, int]]:
        """Return how far each partition is."""
        paths = self.live.glob("offsets/*/*.json")
        return [json.loads(path.read_text(encoding="utf-8")) for path in paths]

    def wait_until_stored(self) -> None:
        """Wait until as many rows are stored as were sent."""
        wanted = sum(len(n) for days in self.sent.values() for n in days.values())
        self.wait_for(lambda: sum(state["rows"] for state in self.journals()) >= wanted)

    def check(self) -> None:
        """Each row is there once, in the folder of its day."""
        for topic, days in self.sent.items():
            found = {
                day: sorted(int(float(row[2])) for row in rows)
                for day, rows in stored(self.live, topic).items()
            }
            assert found == days, topic


@pytest.fixture
def agents(pipeline: Pipeline) -> Iterator[Agents]:
    """Return agents and a consumer that is not started yet."""
    pipeline.data_dir.mkdir(exist_ok=True)
    pipeline.values["live"] = live_section()
    write_settings(pipeline.config, pipeline.values)
    made = Agents(pipeline)
    yield made
    made.close()


def across_midnight(step: int) -> list[int]:
    """Return seconds of a step: more and more of today, and always some of yesterday's spool."""
    return [MIDNIGHT + 10 * step + i if i % 3 else MIDNIGHT - 1 - 10 * step - i for i in range(10)]


def storm(agents: Agents, kills: int, rng: random.Random) -> None:
    """Send for as long as it takes to kill the consumer so many times, at random moments."""
    agents.start()
    for step in range(2 * kills):
        agents.send(across_midnight(step))
        if step % 2:
            time.sleep(rng.uniform(0.2, 3.0))
            agents.kill()
            agents.start()


@EACH_CLIENT
def test_a_consumer_that_is_killed_stores_each_row_once_with_its_day(agents: Agents) -> None:
    """Rows were there before its first start; one of a batch run is among them."""
    agents.send(across_midnight(50))
    agents.send([MIDNIGHT], run_id="r1")
    storm(agents, 3, random.Random(47))
    agents.wait_until_stored()
    assert agents.terminate() == 0, agents.said()
    assert "error" not in agents.said(), agents.said()
    agents.check()
    states = agents.journals()
    assert sum(state["foreign"] for state in states) == len(SERVERS) * len(agents.topics)
    assert sum(state["malformed"] for state in states) == 0


@pytest.mark.long
@EACH_CLIENT
def test_many_kills(agents: Agents) -> None:
    """Twenty of them."""
    storm(agents, 20, random.Random(48))
    agents.wait_until_stored()
    assert agents.terminate() == 0, agents.said()
    agents.check()


@BY_ONE_CLIENT
def test_a_batch_run_and_live_traffic_share_the_topics(
    agents: Agents, pipeline: Pipeline, tmp_path: Path
) -> None:
    """Both are whole, and each counts what is the other's."""
    rows = write_dataset(tmp_path / "m.csv", 500)
    agents.start()
    with (
        consumer(pipeline, "r1", "cpu_mem") as first,
        consumer(pipeline, "r1", "net_disk") as second,
    ):
        agents.send(across_midnight(0))
        done = pipeline.run("produce", "--run-id", "r1", "--dataset", str(tmp_path / "m.csv"))
        assert done.returncode == 0, done.stderr
        agents.send(across_midnight(1))
        publish_end(pipeline, "r1")
        finish(first)
        finish(second)
    agents.wait_until_stored()
    assert agents.terminate() == 0, agents.said()
    agents.check()
    summary = json.loads((pipeline.run_directory("r1") / "consume-cpu_mem.json").read_text())
    assert set(summary["rows"].values()) == {len(rows)}
    assert summary["foreign"] > 0
    assert sum(state["foreign"] for state in agents.journals()) == 2 * len(rows)


@EACH_CLIENT
def test_books_read_the_committed_alerts_of_this_hosts_servers(pipeline: Pipeline) -> None:
    """As a detector writes them: in transactions, each to the partition of its server."""
    topic = f"alerts-{pipeline.config.parent.name}".lower()
    create_topics(pipeline.broker.address, {topic: 3})
    settings = {"bootstrap.servers": pipeline.broker.address, "transactional.id": topic}
    producer = confluent_kafka.Producer(settings)
    producer.init_transactions()
    for last in (False, True):
        producer.begin_transaction()
        for number, server in enumerate(SERVERS):
            told = json.dumps({"number": number, "committed": last})
            producer.produce(topic, told, server, partition_for(server, 3))
        producer.commit_transaction() if last else producer.abort_transaction()
    pipeline.values["live"] = live_section(alerts_topic=topic)
    pipeline.values["consumers"]["cpu_mem"] = {"index": 1, "hosts": 2}
    config = load(write_settings(pipeline.config, pipeline.values))
    found = [json.loads(text) for text in read_alerts(config, config.group("cpu_mem"), 0)]
    here = [n for n, server in enumerate(SERVERS) if partition_for(server, 3) % 2 == 1]
    assert sorted(told["number"] for told in found) == here
    assert here
    assert all(told["committed"] for told in found)
