"""Replicas, leaders and throttles of a running Kafka cluster, through its admin client."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .admin import BrokerError, administrate
from .spread_plan import MIN_INSYNC, Found, Move, Replicas, name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from .spread import Partition

try:
    from kafka import TopicPartition, errors
    from kafka.admin import AlterConfigOp, ConfigResource, ConfigResourceType
    from kafka.protocol.admin import IncrementalAlterConfigsRequest
    from kafka.protocol.metadata import CoordinatorType, FindCoordinatorRequest
except ImportError:
    # A check of the declarations needs no client; a connection says that it is missing.
    errors = None

RATES = ("leader.replication.throttled.rate", "follower.replication.throttled.rate")
LISTS = ("leader.replication.throttled.replicas", "follower.replication.throttled.replicas")
# Where a setting comes from that was set for one topic, or one broker.
OF_TOPIC, OF_BROKER = "DYNAMIC_TOPIC_CONFIG", "DYNAMIC_BROKER_CONFIG"
PREFERRED = 0
# A group that nobody is in; to ask for its offsets makes Kafka's topic of them.
ANY_GROUP = "server-monitoring-spread"
OFFSETS_TOPIC = "__consumer_offsets"
# An id under which nobody writes; to ask for its coordinator makes Kafka's topic of transactions.
ANY_ID = ANY_GROUP
TRANSACTIONS_TOPIC = "__transaction_state"
# The name that stands for all brokers.
ALL_BROKERS = ""
# Looks that may be spoilt by moves that come to their end meanwhile.
LOOKS = 10
PAUSE_SECONDS = 0.1


class Cluster:
    """A running cluster."""

    def __init__(self, servers: list[str], properties: str | None, timeout: int) -> None:
        """Connect; see `administrate`."""
        self._timeout = timeout
        self._admin = administrate(servers, properties, timeout)

    def close(self) -> None:
        """End the connection."""
        self._admin.close()

    def make_offsets_topic(self) -> None:
        """Have Kafka's own topic of offsets there, which it makes when one is first asked for.

        Raises:
            BrokerError: it is not there after the timeout.

        """
        self._make(OFFSETS_TOPIC, lambda: self._admin.list_group_offsets(ANY_GROUP))

    def make_transactions_topic(self) -> None:
        """Have Kafka's own topic of transactions there, made as that of offsets is.

        Raises:
            BrokerError: it is not there after the timeout.

        """
        self._make(TRANSACTIONS_TOPIC, self._ask_for_coordinator)

    def _ask_for_coordinator(self) -> None:
        request = FindCoordinatorRequest(
            key_type=CoordinatorType.TRANSACTION.value, coordinator_keys=[ANY_ID], min_version=4
        )
        # The client has the message, but no method that asks for no more than this.
        manager = self._admin._manager  # noqa: SLF001
        manager.run(manager.send, request)

    def _make(self, topic: str, ask: Callable[[], object]) -> None:
        deadline = time.monotonic() + self._timeout
        with _one_line():
            while topic not in self._admin.list_topics():
                try:
                    ask()
                except errors.KafkaError as error:
                    if not error.retriable:
                        raise
                if time.monotonic() > deadline:
                    message = f"topic {topic}: not there {self._timeout} s after it was asked for"
                    raise BrokerError(message)
                time.sleep(PAUSE_SECONDS)

    def look(self) -> Found:
        """Return what there is. Raises BrokerError if the cluster does not tell."""
        with _one_line():
            brokers = self._admin.describe_cluster()["brokers"]
            partitions, moving = self._partitions()
            found = Found(
                partitions,
                moving,
                known=frozenset(b["broker_id"] for b in brokers),
                up=frozenset(b["broker_id"] for b in brokers if not b.get("is_fenced")),
            )
            self._see_settings(found)
        return found

    def _partitions(self) -> tuple[dict[Partition, Replicas], dict[Partition, Move]]:
        """Return all partitions, and those that are moved before and after they were looked at."""
        after = self._moving()
        for _ in range(LOOKS):
            before = after
            partitions = {
                (topic["name"], p["partition_index"]): Replicas(
                    tuple(p["replica_nodes"]), tuple(p["isr_nodes"]), p["leader_id"]
                )
                for topic in self._admin.describe_topics()
                if topic["error_code"] == 0
                for p in topic["partitions"]
            }
            after = self._moving()
            if before == after and after.keys() <= partitions.keys():
                return partitions, after
        message = f"partitions were moved while they were looked at, {LOOKS} times: run it again"
        raise BrokerError(message)

    def _moving(self) -> dict[Partition, Move]:
        return {
            (found.topic, found.partition): Move(
                tuple(b for b in move["replicas"] if b not in move["removing_replicas"]),
                tuple(move["adding_replicas"]),
            )
            for found, move in self._admin.list_partition_reassignments().items()
        }

    def _see_settings(self, found: Found) -> None:
        topics = sorted({topic for topic, _ in found.partitions})
        wanted = [ConfigResource("TOPIC", topic, [*LISTS, MIN_INSYNC]) for topic in topics]
        wanted += [ConfigResource("BROKER", str(b), [*RATES, MIN_INSYNC]) for b in sorted(found.up)]
        answers = self._admin.describe_configs(wanted, config_filter="all")
        for topic, settings in sorted(answers.get("topic", {}).items()):
            own = {k: s for k, s in settings.items() if s["config_source"] == OF_TOPIC}
            if MIN_INSYNC in own:
                found.own_min_insync[topic] = int(own[MIN_INSYNC]["value"])
            if own.keys() & set(LISTS):
                found.throttled_topics.append(topic)
        for broker, settings in sorted(answers["broker"].items()):
            found.min_insync |= {int(settings[MIN_INSYNC]["value"])}
            if OF_BROKER in {settings[k]["config_source"] for k in RATES if k in settings}:
                found.throttled_brokers.append(int(broker))

    def settle(self, is_seen: Callable[[Found], bool]) -> None:
        """Wait until brokers know what was changed. Raises BrokerError after the timeout."""
        deadline = time.monotonic() + self._timeout
        while not is_seen(self.look()):
            if time.monotonic() > deadline:
                message = f"what was changed is not seen by all brokers after {self._timeout} s"
                raise BrokerError(message)
            time.sleep(PAUSE_SECONDS)

    def bytes_left(self, left: Iterable[Partition], found: Found) -> tuple[int, int] | None:
        """Return of moves that go on how many bytes are copied, and are still to copy.

        None where a broker does not tell: it is for people to read.
        """
        moving = {p: found.moving[p] for p in left if p in found.moving}
        asked: dict[str, list[int]] = {}
        for topic, index in moving:
            asked.setdefault(topic, []).append(index)
        sizes: dict[tuple[int, Partition], int] = {}
        try:
            for answer in self._admin.describe_log_dirs(asked, sorted(found.up)) if asked else []:
                for topic in (t for folder in answer["log_dirs"] for t in folder["topics"]):
                    for p in topic["partitions"]:
                        at = answer["broker"], (topic["name"], p["partition_index"])
                        sizes[at] = p["partition_size"]
        except (errors.KafkaError, KeyError, OSError):
            return None
        copied, missing = 0, 0
        for partition, move in moving.items():
            whole = sizes.get((found.partitions[partition].leader, partition), 0)
            for broker in move.adding:
                there = sizes.get((broker, partition), 0)
                copied, missing = copied + there, missing + max(0, whole - there)
        return copied, missing

    def begin(self, targets: Mapping[Partition, tuple[int, ...]]) -> None:
        """Begin to move partitions.

        Raises:
            BrokerError: one is refused; the others are begun.

        """
        if not targets:
            return
        moves = {TopicPartition(*p): list(target) for p, target in sorted(targets.items())}
        with _one_line():
            answers = self._admin.alter_partition_reassignments(moves)
        for refused, reason in answers.items():
            if reason is not None:
                message = (
                    f"partition {name((refused.topic, refused.partition))}: move to "
                    f"{moves[refused]}: refused by the broker: {reason.__name__}"
                )
                raise BrokerError(message)

    def throttle(
        self, rate: int, brokers: Iterable[int], topics: Mapping[str, Mapping[str, str]]
    ) -> None:
        """Let moves take `rate` bytes a second of each broker, by `topics` -> settings."""
        rates = dict.fromkeys(RATES, str(rate))
        self._set("BROKER", {str(broker): rates for broker in sorted(brokers)})
        self._set("TOPIC", topics)

    def unthrottle(self, found: Found) -> None:
        """Take away all that throttles moves."""
        self._set("TOPIC", {t: dict.fromkeys(LISTS) for t in found.throttled_topics})
        self._set("BROKER", {str(b): dict.fromkeys(RATES) for b in found.throttled_brokers})

    def _set(self, kind: str, settings: Mapping[str, Mapping[str, str | None]]) -> None:
        """Set what has a value, and drop what has none. Raises BrokerError if it is refused."""
        if not settings:
            return
        changes = [
            ConfigResource(kind, of, {key: _change(value) for key, value in values.items()})
            for of, values in settings.items()
        ]
        with _one_line():
            answers = self._admin.alter_configs(changes, raise_on_unknown=False)
        for of, answer in answers[kind.lower()].items():
            if answer != "OK":
                message = f"{kind.lower()} {of}: settings refused by the broker: {answer}"
                raise BrokerError(message)

    def set_min_insync(self, copies: int) -> None:
        """Set it for the cluster: a broker's own is refused where there are eligible leaders."""
        change = MIN_INSYNC, AlterConfigOp.SET.value, str(copies)
        resources = [(ConfigResourceType.BROKER, ALL_BROKERS, [change])]
        with _one_line():
            request = IncrementalAlterConfigsRequest(resources=resources, validate_only=False)
            # The client has the message, but no method for all brokers' settings.
            manager = self._admin._manager  # noqa: SLF001
            (answer,) = manager.run(manager.send, request).responses
        if answer.error_code:
            message = f"{MIN_INSYNC}: {copies} refused by the broker: {answer.error_message}"
            raise BrokerError(message)

    def elect_first(self, partitions: Iterable[Partition]) -> list[Partition]:
        """Let the first replica of each lead; return those whose first cannot yet."""
        asked: dict[str, list[int]] = {}
        for topic, index in partitions:
            asked.setdefault(topic, []).append(index)
        with _one_line():
            answer = self._admin.elect_leaders(PREFERRED, asked, raise_errors=False)
        fine = {0, errors.ElectionNotNeededError.errno}
        return [
            (topic.topic, p.partition_id)
            for topic in answer.replica_election_results
            for p in topic.partition_result
            if p.error_code not in fine
        ]


def _change(value: str | None) -> tuple[Any, str | None]:
    return (AlterConfigOp.DELETE, None) if value is None else (AlterConfigOp.SET, value)


@contextmanager
def _one_line() -> Iterator[None]:
    """Turn the client's errors into one line."""
    try:
        yield
    except (errors.KafkaError, OSError, RuntimeError) as error:
        said = " ".join(str(error).split())
        message = f"the cluster did not do what it was asked: {type(error).__name__}: {said}"
        raise BrokerError(message) from error
