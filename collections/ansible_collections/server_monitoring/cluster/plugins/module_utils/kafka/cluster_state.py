"""What a Kafka cluster says of itself, as plain values; the answers are kafka-python's."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# Kafka gives a replica's absence with the partition, and still names its leader.
_REPLICA_NOT_AVAILABLE = 9


@dataclass(frozen=True)
class Broker:
    """A broker that is registered: host:port of the listener that was asked, and whether fenced."""

    address: str
    fenced: bool


@dataclass(frozen=True)
class Partition:
    """A partition: ids of its leader (-1 for none), its replicas, and those in sync.

    ``least`` is its topic's min.insync.replicas; None if that was not asked for, or not told.
    """

    topic: str
    number: int
    leader: int
    replicas: tuple[int, ...]
    in_sync: tuple[int, ...]
    least: int | None = None

    @property
    def name(self) -> str:
        """Return topic-number."""
        return f"{self.topic}-{self.number}"


@dataclass(frozen=True)
class Quorum:
    """The controllers: id of the leader (-1 for none), of the voters, and of who only listens.

    Offsets are those of the metadata log. ``voters`` has the end of each voter's copy, as its
    leader knows it; -1 if that voter has not yet fetched from this leader. ``directories`` has the
    id of the directory that each voter has it in, as Kafka's tools write it.
    """

    leader: int
    high_watermark: int
    voters: Mapping[int, int]
    observers: tuple[int, ...] = ()
    directories: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """A cluster at one moment. Brokers are known by node id.

    ``quorum`` and ``moving`` are None if the controllers do not answer; ``silence`` then says how.
    ``moving`` are the names of partitions whose replicas are being changed, and ``troubles`` are
    topics that cannot be described, with the error's name.
    """

    brokers: Mapping[int, Broker]
    partitions: tuple[Partition, ...] = ()
    quorum: Quorum | None = None
    moving: tuple[str, ...] | None = None
    silence: str = ""
    troubles: Mapping[str, str] = field(default_factory=dict)


def brokers_of(answer: Mapping[str, Any]) -> dict[int, Broker]:
    """Return node id -> broker, fenced ones too."""
    return {
        broker["broker_id"]: Broker(
            address=f"{broker['host']}:{broker['port']}", fenced=bool(broker.get("is_fenced"))
        )
        for broker in answer["brokers"]
    }


def partitions_of(topics: list[dict[str, Any]], least: Mapping[str, int]) -> tuple[Partition, ...]:
    """Return the partitions of all topics, by name."""
    return tuple(
        Partition(
            topic=topic["name"],
            number=partition["partition_index"],
            leader=-1
            if partition["error_code"] not in {0, _REPLICA_NOT_AVAILABLE}
            else partition["leader_id"],
            replicas=tuple(partition["replica_nodes"]),
            in_sync=tuple(partition["isr_nodes"]),
            least=least.get(topic["name"]),
        )
        for topic in sorted(topics, key=lambda t: str(t["name"]))
        for partition in sorted(topic["partitions"], key=lambda p: int(p["partition_index"]))
    )


def quorum_of(answer: Mapping[str, Any]) -> Quorum | None:
    """Return the controllers, or None if whoever was asked does not know."""
    partition = answer["topics"][0]["partitions"][0]
    if partition["error"]:
        return None
    return Quorum(
        leader=partition["leader_id"],
        high_watermark=partition["high_watermark"],
        voters={v["replica_id"]: v["log_end_offset"] for v in partition["current_voters"]},
        observers=tuple(observer["replica_id"] for observer in partition["observers"]),
        directories={
            v["replica_id"]: _as_tools_write_it(v["replica_directory_id"])
            for v in partition["current_voters"]
            if "replica_directory_id" in v
        },
    )


def _as_tools_write_it(found: uuid.UUID | str) -> str:
    """Return an id of 16 bytes as Kafka's tools do: in 22 letters of base64url."""
    return base64.urlsafe_b64encode(uuid.UUID(str(found)).bytes).decode().rstrip("=")
