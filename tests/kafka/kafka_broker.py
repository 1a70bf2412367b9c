"""A broker to start and stop, topics, and the app as a process: what the fixtures are made of."""

import os
import random
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from tests.support.app_settings import settings, write_settings
from tests.support.project import PROJECT

PATIENCE = 300
"""Seconds after which a broker or a command hangs, also on a machine that serves others first."""
CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qg"
QUICK_JAVA = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
"""Options of a Java that lives a minute: it starts with half the work."""
PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
log.dirs={directory}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
auto.create.topics.enable=false
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
"""


@dataclass
class Broker:
    """A broker that tests may stop and start again."""

    home: Path
    directory: Path
    port: int
    heap: str = "384m"
    java: str = ""
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Return host:port."""
        return f"127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """Keep the broker within its heap, and its logs below its own directory."""
        return os.environ | {
            "KAFKA_HEAP_OPTS": f"-Xms256m -Xmx{self.heap}",
            "KAFKA_JVM_PERFORMANCE_OPTS": self.java,
            "LOG_DIR": str(self.directory / "logs"),
        }

    def settings(self) -> dict[str, object]:
        """Return what the app's configuration says to reach it."""
        return {"bootstrap_servers": [self.address]}

    @property
    def credentials(self) -> Path | None:
        """Return the folder with the users' credentials, where it has users."""
        return None

    def open_to(self, groups: dict[str, list[str]]) -> None:
        """Let the users of a pipeline use the topics of its groups."""

    def format(self, properties: str = "") -> None:
        """Make its storage; `properties` are added to those that all brokers of tests have."""
        file = self.directory / "server.properties"
        common = PROPERTIES.format(port=self.port, controller=free_port(), directory=self.directory)
        file.write_text(common + properties)
        self.format_storage("--standalone")

    def format_storage(self, *quorum: str) -> None:
        """Format what its properties name; `quorum` is the option that says whom it votes with.

        A broker that is no controller has none.
        """
        script = str(self.home / "bin" / "kafka-storage.sh")
        identity = ["-t", CLUSTER_ID, "-c", str(self.directory / "server.properties")]
        subprocess.run(
            [script, "format", *quorum, *identity],
            check=True,
            capture_output=True,
            env=self.environment(),
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start its process, and do not wait."""
        script = self.home / "bin" / "kafka-server-start.sh"
        command = [script, self.directory / "server.properties"]
        with (self.directory / "broker.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=self.environment(), start_new_session=True
            )

    def wait(self) -> None:
        """Wait until the process that was started answers."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process and self.process.poll() is None:
            if self.serves():
                return
            time.sleep(0.2)
        log_end = (self.directory / "broker.log").read_text()[-3000:]
        pytest.fail(f"the broker did not start within {PATIENCE} s:\n{log_end}")

    def serves(self) -> bool:
        """Tell whether it answers, at once where nobody listens: Kafka's client would try on."""
        with suppress(OSError, KafkaError):
            socket.create_connection(("127.0.0.1", self.port), timeout=20).close()
            KafkaAdminClient(bootstrap_servers=self.address, bootstrap_timeout_ms=20_000).close()
            return True
        return False

    def stop(self, *, hard: bool = False) -> None:
        """End the process that `start` started."""
        if self.process is None:
            return
        if hard:
            self.process.kill()
        else:
            self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=30)
        self.process = None


def kafka_home() -> Path:
    """Return the tree that KAFKA_HOME names."""
    home = os.environ.get("KAFKA_HOME", "")
    if not home or not (Path(home) / "bin" / "kafka-server-start.sh").exists():
        pytest.fail(f"KAFKA_HOME: found {home!r}, expected a tree with bin/kafka-server-start.sh")
    return Path(home)


AnyBroker = TypeVar("AnyBroker", bound=Broker)


@contextmanager
def running_broker(kind: type[AnyBroker], directory: Path) -> Iterator[AnyBroker]:
    """Run a broker of the tree that KAFKA_HOME names; its files are gone at the end."""
    broker = kind(kafka_home(), directory, free_port(), java=QUICK_JAVA)
    try:
        broker.format()
        broker.start()
        yield broker
    finally:
        broker.stop(hard=True)
        shutil.rmtree(directory, ignore_errors=True)


def free_port() -> int:
    """Return a port that nobody listens on, below those that the kernel gives to clients."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as sock, suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port


def create_topics(address: str | list[str], partitions: dict[str, int], **configs: str) -> None:
    """Create topics with the brokers' own number of copies, and wait until they have leaders."""
    admin = KafkaAdminClient(bootstrap_servers=address)
    try:
        admin.create_topics(
            {
                name: {"num_partitions": n, "replication_factor": -1, "configs": configs}
                for name, n in partitions.items()
            },
            wait_for_metadata=True,
        )
    finally:
        admin.close()


@dataclass
class Pipeline:
    """A configuration whose topics exist, for one test alone."""

    broker: Broker
    config: Path
    values: dict[str, Any]
    data_dir: Path

    def run_directory(self, run_id: str) -> Path:
        """Return where a run's files are."""
        return self.data_dir / "runs" / run_id

    def command(self, *arguments: str) -> list[str]:
        """Return a command line of the app, as the user that the command is for."""
        command = [sys.executable, "-m", "server_monitoring", *arguments]
        command += ["--config", str(self.config)]
        folder = self.broker.credentials
        if folder is not None and "--credentials" not in arguments:
            command += ["--credentials", str(folder / f"{_user(arguments)}.json")]
        return command

    def environment(self) -> dict[str, str]:
        """Run the app from the source tree, without systemd, and compiled only once."""
        left_out = {"NOTIFY_SOCKET", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}
        kept = {name: value for name, value in os.environ.items() if name not in left_out}
        return kept | {"PYTHONPATH": str(PROJECT / "app" / "src")}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the app to its end."""
        return subprocess.run(
            self.command(*arguments),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
            env=self.environment(),
        )


def _user(arguments: tuple[str, ...]) -> str:
    if "--group" in arguments:
        return "consumer_" + arguments[arguments.index("--group") + 1]
    return "producer"


def make_pipeline(
    broker: Broker, directory: Path, partitions: int, client: str = "kafka-python"
) -> Pipeline:
    """Give the default settings' topics names of their own, and create them."""
    values = settings(directory / "data") | broker.settings() | {"kafka_client": client}
    suffix = uuid.uuid4().hex[:8]
    metrics = [m for group in values["groups"].values() for m in group["metrics"]]
    for metric in metrics:
        metric["topic"] += f"-{suffix}"
    create_topics(broker.address, {m["topic"]: partitions for m in metrics})
    groups = values["groups"].items()
    broker.open_to({name: [m["topic"] for m in group["metrics"]] for name, group in groups})
    config = write_settings(directory / "config.yml", values)
    return Pipeline(broker, config, values, directory / "data")
