"""Agents, a broker that goes and comes back, and SIGKILL: every sample arrives, in its order."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from server_monitoring.agent import config as agent_config
from server_monitoring.agent import row, sender
from server_monitoring.agent.counters import CountersFile
from server_monitoring.agent.spool import Spool
from server_monitoring.broker.limits import CLIENTS, CONFLUENT, KAFKA_PYTHON
from server_monitoring.model.names import LIVE_RUN
from server_monitoring.model.signature import GOOD, check, parse_key
from server_monitoring.model.wire import RUN_ID_HEADER, decode_value, partition_for, row_number

from tests.kafka.access import TOPIC, Access
from tests.kafka.kafka_broker import PATIENCE, Broker, create_topics
from tests.kafka.kafka_runs import BY_ONE_CLIENT
from tests.kafka.secure_broker import RENEWING, SecureBroker
from tests.support.app_settings import write_settings
from tests.support.project import PROJECT

SERVER, PARTITIONS = "web,1", 3
ROTATED = 11
KEY = "0f" * 32


class Agent:
    """An agent by one client, with topics of its own."""

    def __init__(
        self, broker: Broker, directory: Path, client: str, credentials: Path | None = None
    ) -> None:
        """Make its topics and its configuration; with credentials it comes by RENEWING."""
        directory.mkdir()
        self.broker = broker
        self.topics = {column: f"live-{client}-{column}" for column in row.COLUMNS}
        create_topics(broker.address, dict.fromkeys(self.topics.values(), PARTITIONS))
        self.data = directory / "data"
        self.key = directory / "signing.key"
        self.key.touch(mode=0o600)
        self.key.write_text(f"{KEY}\n")
        values = {
            "server_id": SERVER,
            "kafka_client": client,
            **broker.settings(),
            "data_dir": str(self.data),
            "topics": self.topics,
            "interval_seconds": 1,
            "signing": True,
        }
        if isinstance(broker, SecureBroker):
            values |= broker.settings(RENEWING)
        self.options = ["--credentials", str(credentials)] if credentials else []
        self.config = write_settings(directory / "agent.yml", values)
        self.log = (directory / "log").open("w+", encoding="utf-8")

    def start(self, until: ExitStack) -> None:
        """Start it."""
        command = ["python3", "-m", "server_monitoring", "agent", "--config", str(self.config)]
        kept = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
        self.process = subprocess.Popen(
            [*command, "--signing-key", str(self.key), *self.options],
            stderr=self.log,
            env=kept | {"PYTHONPATH": str(PROJECT / "app" / "src")},
        )
        until.callback(self.process.kill)

    def said(self) -> str:
        """Return what it wrote to standard error."""
        return Path(self.log.name).read_text(encoding="utf-8")

    def wait_for(self, what: Callable[[], bool]) -> None:
        """Wait until something is so, as long as the agent runs."""
        deadline = time.monotonic() + PATIENCE
        while not what():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)

    def spooled(self) -> list[row.Row]:
        """Return the rows that it took, which its newest file keeps until there are many."""
        files = sorted((self.data / "spool").glob("*.csv"))
        lines = b"".join(file.read_bytes() for file in files).split(b"\n")
        return [row.decode(line) for line in lines[:-1]]

    def waits(self) -> int:
        """Return how many bytes of its only file are not acknowledged."""
        (file,) = (self.data / "spool").glob("*.csv")
        return file.stat().st_size - int((self.data / "position").read_text().split()[1])

    def wait_for_more(self, rows: int) -> None:
        """Wait until it took more rows."""
        wanted = rows + (len(self.spooled()) if self.data.exists() else 0)
        self.wait_for(lambda: self.data.exists() and len(self.spooled()) >= wanted)

    def end(self) -> None:
        """End it in order, once all that it took is acknowledged."""
        self.wait_for(lambda: self.waits() == 0)
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE) == 0, self.said()
        assert "Traceback" not in self.said()


class Arrived(NamedTuple):
    """What a topic has of a server."""

    seconds: list[int]
    values: dict[int, set[str]]


def arrived(agent: Agent, column: str) -> Arrived:
    """Return a topic's rows, each checked: in the server's partition, signed, of the live run."""
    topic = agent.topics[column]
    place = TopicPartition(topic, partition_for(SERVER, PARTITIONS))
    found = Arrived([], {})
    consumer = KafkaConsumer(bootstrap_servers=agent.broker.address, auto_offset_reset="earliest")
    try:
        consumer.assign([TopicPartition(topic, number) for number in range(PARTITIONS)])
        ends = consumer.end_offsets(list(consumer.assignment()))
        assert {tp for tp, end in ends.items() if end} == {place}
        while consumer.position(place) < ends[place]:
            for record in consumer.poll(1000).get(place, []):
                reading = decode_value(record.value, column)
                args = (reading.server_id, topic, record.key, record.value, record.headers)
                assert check({SERVER: parse_key(KEY)}, *args) == GOOD
                assert dict(record.headers)[RUN_ID_HEADER] == LIVE_RUN.encode()
                second = row_number(record.headers)
                assert row.utc_text(second) == reading.ts
                found.seconds.append(second)
                found.values.setdefault(second, set()).add(reading.value)
    finally:
        consumer.close()
    return found


def check_all_arrived(agent: Agent) -> None:
    """Hold the topics against what the agent took: nothing lost, in order, twice only the same."""
    taken = agent.spooled()
    for place, column in enumerate(row.COLUMNS):
        found = arrived(agent, column)
        assert list(dict.fromkeys(found.seconds)) == [one.second for one in taken]
        assert found.values == {one.second: {one.values[place]} for one in taken}


@pytest.mark.parametrize("client", [CONFLUENT, pytest.param(KAFKA_PYTHON, marks=pytest.mark.long)])
def test_what_is_sampled_while_the_broker_is_away_arrives_also_after_sigkill(
    mortal: Broker, tmp_path: Path, client: str
) -> None:
    """The agent that ends is followed by one that goes on, before and after the broker is back."""
    agent = Agent(mortal, tmp_path / client, client)
    with ExitStack() as until:
        agent.start(until)
        agent.wait_for_more(3)
        agent.wait_for(lambda: agent.waits() == 0)
        mortal.stop(hard=True)
        agent.wait_for_more(4)
        agent.process.kill()
        agent.process.wait()
        before = agent.spooled()
        agent.start(until)
        agent.wait_for_more(3)
        agent.wait_for(lambda: "waiting for the broker" in agent.said())
        mortal.start()
        agent.wait_for_more(2)
        agent.end()
    assert agent.spooled()[: len(before)] == before
    assert json.loads((agent.data / "counters.json").read_text())["dropped"] == 0
    check_all_arrived(agent)


@BY_ONE_CLIENT
def test_a_user_that_may_write_its_topics_is_all_that_an_agent_needs(
    secure_broker: SecureBroker, tmp_path: Path, client: str
) -> None:
    """It waits while it may not; a password that is changed ends it with 11, for a new start."""
    credentials = secure_broker.add_user("agent")
    agent = Agent(secure_broker, tmp_path / client, client, credentials)
    with ExitStack() as until:
        until.callback(secure_broker.forbid, "agent")
        agent.start(until)
        agent.wait_for(lambda: "waiting for the broker: " in agent.said())
        assert "user 'agent' is not authorized" in agent.said()
        secure_broker.allow(
            "agent", [Access(TOPIC, topic, ("WRITE",)) for topic in agent.topics.values()]
        )
        agent.wait_for(lambda: "\nconnected\n" in agent.said())
        agent.wait_for(lambda: agent.waits() == 0)
        secure_broker.add_user("agent")
        assert agent.process.wait(PATIENCE) == ROTATED, agent.said()
        assert "refused user 'agent'" in agent.said().splitlines()[-1]
        agent.start(until)
        agent.wait_for_more(2)
        agent.end()
    check_all_arrived(agent)


@pytest.mark.long
@pytest.mark.parametrize("client", CLIENTS)
def test_a_broker_that_dies_and_comes_back_again_and_again_gets_each_row(
    mortal: Broker, tmp_path: Path, client: str
) -> None:
    """With an agent that stays, in one process: no row even twice."""
    agent = Agent(mortal, tmp_path / client, client)
    with ExitStack() as until:
        agent.start(until)
        for _ in range(3):
            agent.wait_for_more(3)
            mortal.stop(hard=True)
            agent.wait_for_more(5)
            mortal.start()
            agent.wait_for(lambda: agent.waits() == 0)
        agent.end()
    check_all_arrived(agent)
    seconds = arrived(agent, row.COLUMNS[0]).seconds
    assert len(seconds) == len(set(seconds))


@BY_ONE_CLIENT
def test_rows_follow_their_server_to_its_partition_once_topics_grow(
    broker: Broker, tmp_path: Path, client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent looks from time to time; what it sent before stays where it is, in order."""
    monkeypatch.setattr(sender, "LOOK_SECONDS", 0.5)
    agent = Agent(broker, tmp_path / "a", client)
    config = agent_config.load(agent.config)
    counters = CountersFile(tmp_path / "counters.json", str).counters
    grown = next(n for n in range(PARTITIONS + 1, 99) if partition_for(SERVER, n) >= PARTITIONS)
    with closing(Spool(config.data_dir, config.spool_bytes, counters, str)) as spool:
        sends = sender.Sender(config, spool, None, str)
        sends.start()
        spool.append(row.Row(1, SERVER, ("1.0",) * 4))
        deadline = time.monotonic() + PATIENCE
        while spool.waiting:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        admin = KafkaAdminClient(bootstrap_servers=broker.address)
        admin.create_partitions(dict.fromkeys(agent.topics.values(), grown))
        admin.close()
        seconds: list[int] = []
        for second in range(2, 500):
            spool.append(row.Row(second, SERVER, ("1.0",) * 4))
            time.sleep(0.2)
            seconds = _seconds(broker, agent.topics["cpu_pct"], partition_for(SERVER, grown))
            if seconds:
                break
        sends.stop(PATIENCE)
        assert sends.failure is None
    assert seconds
    before = _seconds(broker, agent.topics["cpu_pct"], partition_for(SERVER, PARTITIONS))
    assert before == list(range(1, seconds[0]))


def _seconds(broker: Broker, topic: str, partition: int) -> list[int]:
    """Return the seconds of a partition's rows, in their order."""
    place = TopicPartition(topic, partition)
    reader = KafkaConsumer(bootstrap_servers=broker.address, auto_offset_reset="earliest")
    try:
        reader.assign([place])
        end = reader.end_offsets([place])[place]
        found: list[int] = []
        while len(found) < end:
            for batch in reader.poll(timeout_ms=200).values():
                found += [row_number(record.headers) for record in batch]
        return found
    finally:
        reader.close()
