"""A cluster that becomes larger and smaller as provision.yml and kafka_leave.yml make it.

The same modules do the work, and the brokers start again with what the role kafka would give them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.kafka.kafka_broker import PATIENCE
from tests.kafka.kafka_cluster import (
    KafkaCluster,
    Member,
    make_member,
    shared_properties,
)
from tests.kafka.kafka_module import run_module
from tests.kafka.spread_calls import spread


def host(number: int) -> str:
    """Return a broker's host as an inventory would call it."""
    return f"kafka-{number}"


def copies(brokers: int) -> int:
    """Return how many copies there are of a record."""
    return min(3, brokers)


@dataclass
class Growth:
    """A cluster of brokers that are up, and who of them votes."""

    cluster: KafkaCluster
    home: Path
    directory: Path
    controllers: list[int] = field(default_factory=lambda: [1])

    def grow(self, *numbers: int) -> None:
        """Let brokers join: with an empty disk each, and votes where these get more."""
        members = self.cluster.members
        old = list(members)
        for number in numbers:
            members[number] = make_member(self.home, self.directory, number)
        wanted = self._wanted(list(members))
        for number in numbers:
            self._configure(number, wanted)
            members[number].format()
            members[number].launch()
        self._roll(old, wanted)
        self.controllers = wanted
        self.stands(list(members))
        self._spread(list(members))

    def shrink(self, *numbers: int, dead: Iterable[int] = ()) -> dict[str, Any]:
        """Take brokers out, of which some may be dead; return what the last module found."""
        stay = [n for n in self.cluster.members if n not in numbers]
        up = [n for n in self.cluster.members if n not in set(dead)]
        wanted = self._wanted(stay)
        servers = [self.cluster.address(n) for n in stay]
        self._spread(stay, list(numbers))
        voters: dict[str, Any] = self.arguments(stay) | {
            "controllers": [host(n) for n in wanted],
            "tools": str(self.home / "bin"),
            "bootstrap_servers": servers,
            "timeout": PATIENCE,
        }
        self.run("kafka_voters", voters | {"keep": [host(n) for n in up]})
        retiring = [n for n in up if n in self.controllers and n not in wanted]
        self._roll(up, wanted, retiring)
        gone = self.run("kafka_voters", voters)
        assert set(gone["removed"]) == {host(n) for n in retiring}
        assert not self.run("kafka_voters", voters)["changed"]
        others_stay = set(wanted) & set(self.controllers)
        self.controllers = wanted
        self._roll([n for n in stay if n in retiring or not others_stay], wanted)
        for number in numbers:
            self.cluster.stop(number)
        left = {
            "brokers": {host(n): n for n in numbers},
            "bootstrap_servers": servers,
            "tools": str(self.home / "bin"),
            "timeout": PATIENCE,
        }
        found = self.run("kafka_unregister", left)
        assert not self.run("kafka_unregister", left)["changed"]
        for number in numbers:
            del self.cluster.members[number]
        self.stands(stay)
        return found

    def stands(self, numbers: Iterable[int], **more: Any) -> None:
        """Wait until the cluster does, with these brokers and the voters that are wanted."""
        controllers = [host(n) for n in self.controllers]
        wanted = {"brokers": {host(n): n for n in numbers}, "controllers": controllers}
        self.run("kafka_health", self.arguments(numbers) | wanted | {"timeout": PATIENCE} | more)

    def arguments(self, numbers: Iterable[int]) -> dict[str, Any]:
        """Return whom to ask, of these brokers, and the name of everyone."""
        return {
            "bootstrap_servers": [self.cluster.address(n) for n in numbers],
            "brokers": {host(n): n for n in self.cluster.members},
        }

    def run(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Run a module that must not fail."""
        found = run_module(name, arguments)
        assert not found.get("failed"), found["msg"]
        return found

    def _wanted(self, numbers: list[int]) -> list[int]:
        """Return who shall vote of these brokers: as many as the role kafka_cluster says."""
        return numbers[: 1 if len(numbers) < 3 else 3 if len(numbers) < 5 else 5]

    def _spread(self, numbers: list[int], leaving: Iterable[int] = ()) -> None:
        spread(
            self.cluster,
            bootstrap_servers=[self.cluster.address(n) for n in numbers],
            brokers={str(n): "" for n in numbers},
            leaving=list(leaving),
            replication_factor=copies(len(numbers)),
            min_insync_replicas=max(1, copies(len(numbers)) - 1),
        )

    def _member(self, number: int) -> Member:
        return self.cluster.members[number]

    def _configure(self, number: int, wanted: list[int], retiring: Sequence[int] = ()) -> None:
        """Give a member what it reads; who retires goes on to vote until it is removed."""
        # Whom new controllers ask, where none of those that vote stays: see the role kafka.
        ask = wanted if set(wanted) & set(self.controllers) else [*wanted, *retiring]
        self._member(number).votes = number in {*wanted, *retiring}
        self._member(number).joins = number not in retiring
        self._member(number).shared = shared_properties(
            [self._member(n).controller for n in ask],
            len(self.cluster.members),
        )

    def _roll(
        self, numbers: Iterable[int], wanted: list[int], retiring: Sequence[int] = ()
    ) -> None:
        """Start brokers again one by one, each when the others hold everything meanwhile.

        Those that do not vote come first: one that becomes a controller is needed by then.
        """
        standing = list(numbers)
        voters = self.cluster.voters()
        for number in sorted(standing, key=lambda n: n in voters):
            self._configure(number, wanted, retiring)
            self._member(number).configure()
            given = self.arguments(standing) | {"timeout": PATIENCE}
            given["brokers"] = {host(n): n for n in standing}
            self.run("kafka_health", given | {"without": host(number)})
            self.cluster.stop(number)
            self.cluster.start(number)
            self.run("kafka_health", given | {"answered_by": self.cluster.address(number)})
