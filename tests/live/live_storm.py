"""Kills in the middle of live traffic, one after the other, and how soon each is overcome."""

import json
import time
from collections.abc import Iterable, Iterator

from kafka.errors import KafkaError

from tests.kafka.kafka_cluster import KafkaCluster
from tests.live.kill_plan import AGENT, CONSUMER, DETECTOR, Kill, Victims
from tests.live.site import GROUPS, Site
from tests.live.told import Follower
from tests.pipeline.storm import Overcome

BROKER_RESTART_SECONDS = 2.0
"""As the unit of a broker has it."""
PATIENCE_SECONDS = 240
"""A detector without an answer gives up a transaction, takes it back, and starts anew in less."""


class LiveStorm:
    """Kills that follow each other: each one a planned pause after the last was overcome."""

    def __init__(self, site: Site, cluster: KafkaCluster) -> None:
        """Rage against a site and its brokers."""
        self._site = site
        self._cluster = cluster
        self._units = {unit.name: unit for unit in site.units}

    def victims(self) -> Victims:
        """Return who may be killed."""
        site = self._site
        units = {
            AGENT: [agent.unit.name for agent in site.agents.values()],
            CONSUMER: [unit.name for unit in site.consumers.values()],
            DETECTOR: [unit.name for unit in site.detectors.values()],
        }
        return Victims(units, [str(number) for number in self._cluster.members])

    def rage(self, kills: Iterable[Kill]) -> Iterator[Overcome]:
        """Kill, and yield each fault once it is overcome."""
        follower = Follower(self._site.told)
        try:
            self._wait_until_work_went_on(follower, time.time())
            for kill in kills:
                time.sleep(kill.pause)
                if kill.aimed is not None:
                    now = time.time()
                    time.sleep(int(now) + 1 + kill.aimed - now)
                began = time.time()
                self._kill(kill)
                self._wait_until_work_went_on(follower, time.time())
                yield Overcome(kill, time.time() - began)
                self._wait_until_whole()
        finally:
            follower.end()

    def _kill(self, kill: Kill) -> None:
        """Kill the broker, the unit, or both; the broker is started again as by its unit."""
        if not kill.peer:
            self._units[kill.node].kill()
            return
        number, began = int(kill.peer), time.monotonic()
        self._cluster.kill(number)
        for at, begin in sorted(
            [
                (BROKER_RESTART_SECONDS, self._cluster.members[number].launch),
                *([(kill.seconds, self._units[kill.node].kill)] if kill.node else []),
            ],
            key=lambda due: due[0],
        ):
            time.sleep(max(0.0, began + at - time.monotonic()))
            begin()

    def _wait_until_work_went_on(self, follower: Follower, since: float) -> None:
        """Wait until samples taken after `since`, of all servers, are stored and judged."""
        site, deadline = self._site, time.monotonic() + PATIENCE_SECONDS
        while True:
            judged = {
                (group, name): follower.closed_to(group, name) - since
                for group in GROUPS
                for name in site.agents
            }
            stored = {topic: second - since for topic, second in self._stored_to().items()}
            if min(judged.values()) > 1 and min(stored.values()) > 0:
                return
            if time.monotonic() > deadline:
                said = "\n".join(unit.abort() for unit in site.units)
                message = f"seconds after the fault: judged {judged}, stored {stored}\n{said}"
                raise AssertionError(message)
            time.sleep(0.1)

    def _stored_to(self) -> dict[str, int]:
        """Return the second up to which the segments of each topic have rows."""
        newest = dict.fromkeys(self._site.topics, 0)
        for path in self._site.live.glob("*/raw/*/*.json"):
            last = json.loads(path.read_text(encoding="utf-8"))["last_row"]
            newest[path.parent.name] = max(last, newest[path.parent.name])
        return newest

    def _wait_until_whole(self) -> None:
        """Wait until every broker has everything: a second one may be killed then."""
        self._cluster.wait_for_all()
        copies, deadline = len(self._cluster.members), time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with self._cluster.admin() as admin:
                    topics = admin.describe_topics()
                if all(len(p["isr_nodes"]) == copies for t in topics for p in t["partitions"]):
                    return
            except KafkaError:
                pass
            assert time.monotonic() < deadline, "brokers are not in sync"
            time.sleep(0.2)
