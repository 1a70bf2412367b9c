"""A cluster of several brokers on loopback, each a controller too, that tests may take apart."""

import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from tests.kafka.kafka_broker import PATIENCE, PROPERTIES, QUICK_JAVA, Broker, free_port

SESSION_SECONDS = 6.0
"""How long a broker that was killed still counts as there: as the role kafka has it."""
# Controllers that start vote before they know any rule, so only a super user's vote counts then: a
# cluster that was down as a whole would never come up, were its own brokers none.
MEMBER = """\
super.users=User:ANONYMOUS
controller.quorum.bootstrap.servers={controllers}
broker.session.timeout.ms={session:.0f}
broker.heartbeat.interval.ms=1500
default.replication.factor={copies}
min.insync.replicas={least}
offsets.topic.replication.factor={copies}
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={least}
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr={least}
log.cleaner.dedupe.buffer.size=33554432
"""
CONTROLLER = "controller.quorum.auto.join.enable={joins}\n"
BROKER_ALONE = """\
process.roles=broker
listeners=PLAINTEXT://127.0.0.1:{port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
"""


@dataclass
class Member(Broker):
    """One of several brokers: its number is its node's id, from 1 on."""

    node: int = 1
    controller: int = field(default_factory=free_port)
    shared: str = ""
    founder: bool = False
    votes: bool = True
    joins: bool = True

    def format(self, properties: str = "") -> None:
        """Make its storage: the founder begins a quorum, the others join it when they start."""
        self.directory.mkdir(exist_ok=True)
        self.configure(properties)
        joins = ["--no-initial-controllers"] if self.votes else []
        self.format_storage(*(["--standalone"] if self.founder else joins))

    def configure(self, properties: str = "") -> None:
        """Write what it reads when it starts the next time."""
        common = PROPERTIES.format(
            port=self.port, controller=self.controller, directory=self.directory
        )
        # Of two lines with one key the later counts.
        role = CONTROLLER if self.votes else BROKER_ALONE
        own = role.format(port=self.port, joins=str(self.joins).lower())
        text = f"{common}{self.shared}node.id={self.node}\n{own}{properties}"
        (self.directory / "server.properties").write_text(text)


@dataclass
class KafkaCluster:
    """Brokers by number. All is plain text, and nobody needs a right."""

    members: dict[int, Member]

    @property
    def bootstrap(self) -> list[str]:
        """Return host:port of every broker."""
        return [member.address for member in self.members.values()]

    def address(self, number: int) -> str:
        """Return host:port of one."""
        return self.members[number].address

    def start(self, number: int) -> None:
        """Start a broker that was ended, and wait until it answers (it may be fenced still)."""
        self.members[number].start()

    def stop(self, number: int) -> None:
        """End a broker in good order: its leaders move first."""
        self.members[number].stop()

    def kill(self, number: int) -> None:
        """End a broker at once; it counts as there until its session has ended."""
        self.members[number].stop(hard=True)

    def wipe(self, number: int) -> None:
        """Give a broker that was ended an empty disk, as the same node: it joins the others."""
        member = self.members[number]
        shutil.rmtree(member.directory / "data")
        # Whoever lost the disk that the quorum began on must not begin another.
        member.founder = False
        member.format_storage("--no-initial-controllers")

    @contextmanager
    def admin(self) -> Iterator[Any]:
        """Return kafka-python's admin client, whose bootstrap may be any of the brokers."""
        with closing(KafkaAdminClient(bootstrap_servers=self.bootstrap)) as admin:
            yield admin

    def voters(self) -> set[int]:
        """Return the ids of the controllers that may vote and have what they vote on."""
        with self.admin() as admin:
            quorum = admin.describe_metadata_quorum()["topics"][0]["partitions"][0]
        # Something is always under way; whoever was wiped stands here twice, once with nothing.
        least = quorum["high_watermark"] - 2
        voters = quorum["current_voters"]
        return {v["replica_id"] for v in voters if v["log_end_offset"] >= least}

    def up(self) -> set[int]:
        """Return the ids of the brokers that take part, which fenced ones do not."""
        with self.admin() as admin:
            brokers = admin.describe_cluster()["brokers"]
        return {broker["broker_id"] for broker in brokers if not broker["is_fenced"]}

    def wait_for_all(self) -> None:
        """Wait until every broker takes part and votes."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with suppress(KafkaError):
                if self.up() == self.voters() == set(self.members):
                    return
            time.sleep(0.2)
        pytest.fail(f"brokers {sorted(self.members)} did not form a cluster within {PATIENCE} s")

    def create_topic(self, name: str, partitions: int, copies: int, **configs: str) -> None:
        """Create a topic and wait until it has leaders."""
        wanted = {
            "num_partitions": partitions,
            "replication_factor": copies,
            "configs": configs,
        }
        with self.admin() as admin:
            admin.create_topics({name: wanted}, wait_for_metadata=True)


def shared_properties(controllers: list[int], brokers: int) -> str:
    """Return what members have in common.

    Args:
        controllers: ports of those that shall vote.
        brokers: how many members there are.

    """
    return MEMBER.format(
        controllers=",".join(f"127.0.0.1:{port}" for port in controllers),
        session=SESSION_SECONDS * 1000,
        copies=min(3, brokers),
        least=2 if brokers > 2 else 1,
    )


def make_member(home: Path, directory: Path, number: int, shared: str = "") -> Member:
    """Return a member that is not formatted yet, and has a folder below `directory`."""
    return Member(
        home,
        directory / str(number),
        free_port(),
        heap="256m",
        java=QUICK_JAVA,
        node=number,
        shared=shared,
    )


@contextmanager
def kafka_cluster(
    home: Path,
    directory: Path,
    brokers: int = 3,
    properties: str = "",
    heap: str = "256m",
    java: str = QUICK_JAVA,
) -> Iterator[KafkaCluster]:
    """Run a cluster until the block ends; its files are gone then.

    Args:
        home: Kafka's tree, with bin/kafka-server-start.sh.
        directory: an empty one for the brokers' files, each in a folder with its number.
        brokers: how many; from three on a record has three copies, and two must be in sync.
        properties: lines of server.properties that all of them have in addition.
        heap: the most memory of each, from 256m on.
        java: options of each.

    """
    members = {n: make_member(home, directory, n) for n in range(1, brokers + 1)}
    controllers = [member.controller for member in members.values()]
    for member in members.values():
        member.shared = shared_properties(controllers, brokers) + properties
        member.founder = member.node == 1
        member.heap, member.java = heap, java
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(Member.format, members.values()))
        for member in members.values():
            member.launch()
        for member in members.values():
            member.wait()
        cluster = KafkaCluster(members)
        cluster.wait_for_all()
        yield cluster
    finally:
        for member in members.values():
            member.stop(hard=True)
        shutil.rmtree(directory, ignore_errors=True)
