"""Live mode as a whole on loopback: agents, consumers and detectors of both groups, as units."""

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle, product
from pathlib import Path
from typing import Any

from server_monitoring.agent.row import COLUMNS, Row, decode
from server_monitoring.broker.limits import CLIENTS
from server_monitoring.model.live import utc_second, utc_text
from server_monitoring.settings.config import Config, load

from tests.kafka.kafka_broker import PATIENCE, create_topics
from tests.kafka.live_rows import PARTITIONS
from tests.live.kept import Kept
from tests.live.told import Told
from tests.spark.spark_lab import environment
from tests.support.app_settings import live_section, settings, write_settings

DIFFERENT = 10
"""Exit status of books with differences."""
GROUPS = ("cpu_mem", "net_disk")
SPOOL_BYTES = 1 << 30
"""So much that a spool keeps all that was ever sampled, for the accounts."""
APP = [sys.executable, "-m", "server_monitoring"]


@dataclass
class Agent:
    """An agent, whose source is a file."""

    server_id: str
    directory: Path
    unit: Kept

    @property
    def source(self) -> Path:
        """Return the file with the numbers of this moment."""
        return self.directory / "source.json"

    def drive(self, values: Iterable[float]) -> None:
        """Let the source say other numbers from now on."""
        new = self.source.with_suffix(".new")
        new.write_text(json.dumps(dict(zip(COLUMNS, values, strict=True))), encoding="utf-8")
        new.replace(self.source)

    def spooled(self) -> list[Row]:
        """Return all rows that it ever took."""
        files = sorted((self.directory / "data" / "spool").glob("*.csv"))
        return [decode(line) for file in files for line in file.read_bytes().split(b"\n")[:-1]]

    def waits(self) -> int:
        """Return how many bytes of the spool's one file no broker has yet."""
        (file,) = (self.directory / "data" / "spool").glob("*.csv")
        acknowledged = (self.directory / "data" / "position").read_text(encoding="ascii").split()
        return file.stat().st_size - int(acknowledged[1])

    def counters(self) -> dict[str, int]:
        """Return what it lost."""
        path = self.directory / "data" / "counters.json"
        found: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
        return found


@dataclass
class Site:
    """Everything of live mode but the brokers.

    Attributes:
        bootstrap: host:port of each broker.
        values: the settings.
        configs: of each group, for a client of its own; they differ in nothing else.

    """

    directory: Path
    bootstrap: list[str]
    values: dict[str, Any]
    configs: dict[str, Path]
    agents: dict[str, Agent] = field(default_factory=dict)
    consumers: dict[str, Kept] = field(default_factory=dict)
    detectors: dict[str, Kept] = field(default_factory=dict)

    @property
    def units(self) -> list[Kept]:
        """Return all units."""
        agents = [agent.unit for agent in self.agents.values()]
        return [*agents, *self.consumers.values(), *self.detectors.values()]

    @property
    def live(self) -> Path:
        """Return the folder of all days."""
        return self.directory / "data" / "live"

    @property
    def topics(self) -> dict[str, str]:
        """Return the column of each topic."""
        metrics = [m for group in self.values["groups"].values() for m in group["metrics"]]
        return {metric["topic"]: metric["column"] for metric in metrics}

    @property
    def told(self) -> Told:
        """Return what the detectors told."""
        live = self.values["live"]
        return Told(self.bootstrap, live["alerts_topic"], live["state_topic"])

    def config(self) -> Config:
        """Return the settings as the app reads them."""
        return load(self.configs[GROUPS[0]])

    def start(self) -> None:
        """Start everything."""
        for unit in self.units:
            unit.start()

    def end(self) -> None:
        """End everything at once."""
        for unit in self.units:
            unit.end()

    def stop_when_drained(self) -> None:
        """Stop the agents, then all others once they have all that was sampled."""
        agents = self.agents.values()
        self.wait_for(lambda: not any(agent.waits() for agent in agents), "all is sent")
        for agent in agents:
            agent.unit.stop()  # it sends the last row, too
        assert [agent.waits() for agent in agents] == [0] * len(agents)
        ends = self.told.ends(self.topics)
        self.wait_for(lambda: self.read_to() == ends, "consumers read")
        self.wait_for(self.judged, "detectors read")
        for unit in (*self.consumers.values(), *self.detectors.values()):
            unit.stop()

    def read_to(self) -> dict[tuple[str, int], int]:
        """Return the next offset of each partition that the consumers will read."""
        journals = [
            json.loads(path.read_text("utf-8")) for path in self.live.glob("offsets/*/*.json")
        ]
        return {(found["topic"], found["partition"]): found["offset"] for found in journals}

    def rows(self, topic: str) -> int:
        """Return how many rows of a topic are stored."""
        paths = (self.live / "offsets" / topic).glob("*.json")
        return sum(json.loads(path.read_text(encoding="utf-8"))["rows"] for path in paths)

    def judged(self) -> bool:
        """Return whether the detectors have seen the last row of each server."""
        slide = self.values["slide_seconds"]
        return all(
            closed_to == (self.agents[name].spooled()[-1].second + 1) // slide * slide
            for (_, name), closed_to in self.closed_to().items()
        )

    def closed_to(self) -> dict[tuple[str, str], int]:
        """Return the second up to which windows are closed, by group and server; 0 for none."""
        states = self.told.states()
        found = {}
        for place in product(GROUPS, self.agents):
            state = states.get((*place, "")) or {}
            found[place] = utc_second(state.get("closed_up_to") or utc_text(0))
        return found

    def wait_for(self, reached: Callable[[], bool], what: str) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + PATIENCE
        while not reached():
            if time.monotonic() > deadline:
                said = "\n".join(unit.abort() for unit in self.units)
                message = f"{what}: not within {PATIENCE} s\n{said}"
                raise AssertionError(message)
            time.sleep(0.2)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the app to its end."""
        return subprocess.run(
            [*APP, *arguments, "--config", str(self.configs[GROUPS[0]])],
            capture_output=True,
            text=True,
            check=False,
            env=environment(),
            cwd=self.directory,
        )

    def close(self, day: str) -> dict[str, Any]:
        """Analyze a day and close its books; return these."""
        for group in GROUPS:
            done = self.run("analyze", "--day", day, "--group", group)
            assert done.returncode == 0, done.stderr
        done = self.run("books", "--day", day)
        assert done.returncode in {0, DIFFERENT}, done.stderr
        path = self.live / day / "books.json"
        books: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return books


def make_site(
    bootstrap: list[str],
    directory: Path,
    servers: Iterable[str],
    clients: Sequence[str] = CLIENTS,
    agent: Mapping[str, Any] | None = None,
    **changed: Any,
) -> Site:
    """Make topics, configurations and units; nothing runs yet.

    Args:
        bootstrap: host:port of each broker.
        directory: an empty one.
        servers: one agent each, a sample a second.
        clients: of the groups, and of the agents in turn.
        agent: what agents are told otherwise.
        changed: settings, of the section `live` or above it.

    """
    directory.mkdir(exist_ok=True)
    suffix = uuid.uuid4().hex[:8]
    values = settings(directory / "data", tuple(bootstrap))
    values["live"] = live_section(alerts_topic=f"alerts-{suffix}", state_topic=f"states-{suffix}")
    for name, value in changed.items():
        (values["live"] if name in values["live"] else values)[name] = value
    for group in values["groups"].values():
        for metric in group["metrics"]:
            metric["topic"] += f"-{suffix}"
    configs = {
        group: write_settings(directory / f"{group}.yml", values | {"kafka_client": client})
        for group, client in zip(GROUPS, clients, strict=True)
    }
    site = Site(directory, bootstrap, values, configs)
    # As the role makes them: a record has the time at which a broker took it.
    arrival = {"message.timestamp.type": "LogAppendTime"}
    create_topics(bootstrap, dict.fromkeys(site.topics, PARTITIONS), **arrival)
    create_topics(bootstrap, {values["live"]["alerts_topic"]: PARTITIONS})
    compacted = {"cleanup.policy": "compact"}
    create_topics(bootstrap, {values["live"]["state_topic"]: PARTITIONS}, **compacted)
    for group, config in configs.items():
        of_group = ["--group", group, "--config", str(config)]
        site.consumers[group] = _unit(site, f"consume-{group}", "consume", "--live", *of_group)
        site.detectors[group] = _unit(site, f"detect-{group}", "detect", *of_group)
    for server_id, client in zip(servers, cycle(clients), strict=False):
        site.agents[server_id] = _agent(site, server_id, client, agent or {})
    return site


def _unit(site: Site, name: str, *arguments: str) -> Kept:
    return Kept(name, [*APP, *arguments], site.directory / f"{name}.log")


def _agent(site: Site, server_id: str, client: str, changed: Mapping[str, Any]) -> Agent:
    directory = site.directory / server_id
    directory.mkdir()
    values = {
        "server_id": server_id,
        "kafka_client": client,
        "bootstrap_servers": site.bootstrap,
        "data_dir": str(directory / "data"),
        "topics": {column: topic for topic, column in site.topics.items()},
        "interval_seconds": 1,
        "spool_bytes": SPOOL_BYTES,
        "source": "file",
        "source_file": str(directory / "source.json"),
        **changed,
    }
    config = write_settings(directory / "agent.yml", values)
    return Agent(server_id, directory, _unit(site, server_id, "agent", "--config", str(config)))
