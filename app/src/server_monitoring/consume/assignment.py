"""Which partitions this host consumes, and whether that is still so in the middle of a run.

A partition's rows lie on the host that consumed it. So that none are missing, a partition stays
with its host for the whole run: the host's claim is committed as the group's offset, with the
run in its metadata, before anything is read. A host that has no sidecar for a partition that the
run has claimed refuses it, and so does one whose share no longer has a partition it stored.
Committed offsets mean nothing else: where to read on is the sidecar's word alone.
"""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from server_monitoring.broker.reader import Reader, TopicPartition
from server_monitoring.errors import StorageError
from server_monitoring.host.runs import Run
from server_monitoring.model.groups import Group, Share
from server_monitoring.store.sidecar import sidecar_path


@dataclass(frozen=True)
class Claim:
    """What a consumer says with each committed offset: whose run it is, and on which host."""

    run_id: str
    host: str

    @classmethod
    def of_this_host(cls, run_id: str) -> Self:
        """Return the claim of this host."""
        return cls(run_id, socket.gethostname())

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the claim in a committed offset's metadata, or None where there is none."""
        try:
            # A client may give more than was committed: what follows the claim is not of it.
            content, _ = json.JSONDecoder().raw_decode(text)
            return cls(str(content["run_id"]), str(content["host"]))
        except (ValueError, TypeError, KeyError):
            return None

    def text(self) -> str:
        """Return the claim as a committed offset's metadata."""
        return json.dumps({"run_id": self.run_id, "host": self.host})


def assigned_partitions(reader: Reader, group: Group, share: Share) -> list[TopicPartition]:
    """Return this host's partitions of both topics, those with partition % hosts == index.

    Raises:
        BrokerError: a topic is missing, or see `Share.of`.

    """
    counts = {m.topic: reader.partitions(m.topic) for m in group.metrics}
    return [TopicPartition(*place) for place in share.of(counts, group)]


def check_not_moved(reader: Reader, run: Run, assigned: list[TopicPartition]) -> None:
    """Refuse partitions that moved to or from this host since the run began.

    Raises:
        StorageError: a partition of this run was consumed elsewhere, or one that was stored here
            is no longer this host's, or the sidecar of one was lost.
        BrokerError: no answer.

    """
    for topic in sorted({tp.topic for tp in assigned}):
        for path in sorted((run.raw / topic).glob("*.csv")):
            if path.stem not in {str(tp.partition) for tp in assigned if tp.topic == topic}:
                raise StorageError(
                    f"{path}: stored on this host, but its share no longer has the partition: the "
                    "group's hosts changed during the run; undo that, or start a new run"
                )
    unknown = [tp for tp in assigned if not sidecar_path(run.segment(*tp)).exists()]
    refuse_claimed(run.run_id, reader.committed(unknown))


def refuse_claimed(run_id: str, committed: Mapping[TopicPartition, tuple[int, str]]) -> None:
    """Refuse partitions without a sidecar here that this run has already claimed.

    Raises:
        StorageError: names topic, partition, offset, and the host that claimed it.

    """
    for tp, (offset, metadata) in committed.items():
        claim = Claim.parse(metadata)
        if claim is not None and claim.run_id == run_id:
            raise StorageError(
                f"topic {tp.topic}: partition {tp.partition} was consumed in run {run_id} on host "
                f"{claim.host} up to offset {offset}, and this host has no sidecar for it; give "
                "the partition back to that host or restore its files, or start a new run"
            )
