"""From rows to records under way, and from acknowledgements to checkpoints."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from server_monitoring.broker.client import Client, Future, Producer
from server_monitoring.broker.cluster import Cluster
from server_monitoring.broker.failures import check_connection, no_answer
from server_monitoring.broker.limits import DOUBT_SECONDS
from server_monitoring.broker.reader import TopicPartition
from server_monitoring.errors import AuthenticationError, BrokerError, UnreachableError, one_line
from server_monitoring.host.full_disk import FullDisk
from server_monitoring.host.runs import Run
from server_monitoring.model.groups import Metric
from server_monitoring.model.wire import ROW_HEADER, RUN_ID_HEADER, encode_value, partition_for
from server_monitoring.produce import resume
from server_monitoring.produce.marker import Marker
from server_monitoring.sources.rows import Row

CHECKPOINT_SECONDS = 1.0


# A record that was given to the client: its future, line, topic and partition.
Pending = tuple[Future, int, str, int]


class Chunk(NamedTuple):
    """Rows whose records are under way."""

    rows: int
    last_line: int
    pending: list[Pending]


@dataclass
class Sent:
    """What is in the topics.

    Attributes:
        rows: records of the run by topic, also those that an earlier start had sent.
        found: those of them that an earlier start had sent.
        end_offsets: next offset by topic and partition, after the last record.

    """

    rows: dict[str, int]
    found: dict[str, int]
    end_offsets: dict[str, dict[str, int]] = field(default_factory=dict)


class Sender:
    """Gives rows to the client, leaving out those that are there already."""

    def __init__(
        self,
        client: Client,
        producer: Producer,
        cluster: Cluster,
        marker: Marker,
        metrics: list[Metric],
        held: resume.Rows,
        sent: Sent,
        tell: Callable[[float, object], object],
    ) -> None:
        """Send by `producer`; leave out what is `held`, count in `sent`, and `tell` of waits."""
        self._client = client
        self._send = producer.send
        self._cluster = cluster
        self._run_header = (RUN_ID_HEADER, marker.run_id.encode())
        partitions = marker.partitions()
        self._targets = [(m.topic, m.column, partitions[m.topic]) for m in metrics]
        self._forms = lru_cache(maxsize=100_000)(self._forms_of)
        self._held = held
        self._last_held = max(held.values(), default=0)
        self._sent = sent
        self._tell = tell

    def _forms_of(self, server_id: str) -> tuple[bytes, str, list[tuple[str, str, int]]]:
        """Return a server's key, its id in JSON, and topic, column and partition of each metric."""
        targets = [
            (topic, column, partition_for(server_id, count))
            for topic, column, count in self._targets
        ]
        return server_id.encode(), json.dumps(server_id), targets

    def send(self, chunk: list[Row]) -> Chunk:
        """Send a chunk's records; those that are there already only count.

        Raises:
            BrokerError: the client does not take a record; its line and topic are named.

        """
        held = self._held if chunk[0].line <= self._last_held else {}
        rows, pending, send = self._sent.rows, list[Pending](), self._send
        line, topic = 0, ""
        try:
            for line, ts, server_id, values in chunk:
                key, quoted, targets = self._forms(server_id)
                headers = [self._run_header, (ROW_HEADER, b"%d" % line)]
                for (topic, column, partition), value in zip(targets, values, strict=True):
                    if not value:
                        continue
                    rows[topic] += 1
                    if held and line <= held.get(TopicPartition(topic, partition), 0):
                        self._sent.found[topic] += 1
                        continue
                    body = encode_value(ts, quoted, column, value)
                    future = send(topic, body, key, headers, partition)
                    pending.append((future, line, topic, partition))
        except self._client.TIMEOUT as error:
            doing = f"sending line {line} to topic {topic}"
            raise no_answer(self._cluster, doing) from error
        except self._client.ERROR as error:
            raise self.refused(topic, line, error) from error
        return Chunk(len(chunk), line, pending)

    def check(self) -> None:
        """Raise a BrokerError if the broker no longer accepts this host's credentials."""
        check_connection(self._cluster)

    def doubt(self, left: float) -> None:
        """Tell that an acknowledgement is waited for, at most `left` seconds more; then `check`."""
        self._tell(left, "no acknowledgement")
        self.check()

    def refused(self, topic: str, line: int, error: Exception) -> BrokerError:
        """Return the error for a record that was not accepted, or got no answer."""
        doing = f"sending line {line} to topic {topic}"
        if isinstance(error, self._client.TIMEOUT):
            self.check()
        known = self._client.refusal(self._cluster, error, doing, f"Write on topic {topic}")
        if known is not None:
            return known
        try:
            with self._client.translated(self._cluster, doing):
                raise error  # noqa: TRY301 - the client knows which of its errors are silence
        except (UnreachableError, AuthenticationError) as silence:
            return silence
        except Exception:  # noqa: BLE001 - a refusal, in the client's words or others
            return _refused(topic, line, error)


def _refused(topic: str, line: int, error: Exception) -> BrokerError:
    return BrokerError(
        f"topic {topic}: the record of line {line} was not accepted: "
        f"{one_line(error, 160) or type(error).__name__}; see the broker's log, then start "
        "the same command again, or a new run if it was refused"
    )


class Checkpoints:
    """Writes about once a second how far everything is acknowledged."""

    def __init__(self, run: Run, last: resume.Checkpoint, full_disk: FullDisk) -> None:
        """Go on from `last`; what is under way stays so while `full_disk` waits."""
        self._run = run
        self._full_disk = full_disk
        self._offsets = {topic: dict(offsets) for topic, offsets in last.offsets.items()}
        self._row = last.row
        self._next = time.monotonic() + CHECKPOINT_SECONDS

    def settled(self, chunk: Chunk) -> None:
        """Note a chunk whose records, and those of all before, are acknowledged."""
        if time.monotonic() < self._next or chunk.last_line <= self._row:
            return
        for future, _, topic, partition in chunk.pending:
            # The client does not know the offset of a batch that the broker had taken before.
            if (offset := int(future.value.offset)) >= 0:
                self._offsets[topic][str(partition)] = offset
        checkpoint = resume.Checkpoint(chunk.last_line, self._offsets)
        self._full_disk.retry(lambda: resume.write_checkpoint(self._run, checkpoint))
        self._next = time.monotonic() + CHECKPOINT_SECONDS


def _wait(future: Future, timeout: float, doubt: Callable[[float], None]) -> None:
    """Wait until a record is decided; from time to time `doubt`, with the seconds left."""
    deadline = time.monotonic() + timeout
    while True:
        left = max(0.0, deadline - time.monotonic())
        try:
            future.get(timeout=min(left, DOUBT_SECONDS))
        except Exception:
            if future.is_done or left <= DOUBT_SECONDS:
                raise
            doubt(left - DOUBT_SECONDS)
        else:
            return


def settle(
    chunk: Chunk,
    checkpoints: Checkpoints,
    timeout: float,
    sender: Sender,
) -> int:
    """Wait for a chunk's acknowledgements, `timeout` seconds for each; return its rows.

    Raises:
        BrokerError: a record was not accepted, or the credentials no longer are;
            UnreachableError if there was no answer.

    """
    for future, line, topic, _ in chunk.pending:
        if future.is_done and not future.failed():
            continue
        try:
            _wait(future, timeout, sender.doubt)
        except BrokerError:
            raise
        except Exception as error:
            raise sender.refused(topic, line, error) from error
    checkpoints.settled(chunk)
    return chunk.rows
