"""Store a group's records of one run in raw segments, then stop at the end offsets.

Guarantee: see `segment`. Offsets are this host's own, in the sidecars; those committed to the
broker only show progress. Memory is bounded by one poll's records.
"""

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from server_monitoring.broker import ConsumerRecord, Reader, Records, TopicPartition
from server_monitoring.config import Group, Share
from server_monitoring.durable import storage_error
from server_monitoring.errors import BrokerError
from server_monitoring.records import RUN_ID_HEADER, Reading, decode_value
from server_monitoring.runs import Run
from server_monitoring.segment import Segment, Sidecar, csv_lines

POLL_MS = 200
POLL_RECORDS = 10_000
STORE_SECONDS = 1.0
LOOK_SECONDS = 1.0
STORE_BYTES = 8 * 1024 * 1024
STALL_SECONDS = 60
MALFORMED_SHOWN = 1_000


@dataclass
class Progress:
    """What a consumer has done since it started (a resumed one starts from its sidecars).

    Attributes:
        rows: rows stored by this process, by topic.
        first, last: monotonic times of the first and the last records of this process.

    """

    rows: dict[str, int] = field(default_factory=dict)
    first: float | None = None
    last: float | None = None

    def seconds(self) -> float:
        """Return the seconds from the first to the last records."""
        return self.last - self.first if self.first is not None and self.last else 0.0


def assigned_partitions(reader: Reader, group: Group, share: Share) -> list[TopicPartition]:
    """Return this host's partitions of both topics, those with partition % hosts == index.

    Raises:
        BrokerError: a topic is missing, the topics differ in their number of partitions, so that
            a server's two metrics would not meet on one host, or there is none for this host.

    """
    counts = {m.topic: reader.partitions(m.topic) for m in group.metrics}
    if len(set(counts.values())) != 1:
        found = ", ".join(f"{topic} has {n}" for topic, n in counts.items())
        raise BrokerError(
            f"group {group.name}: {found} partitions, expected the same number for both topics; "
            "mend the topics' partitions in the inventory and provision"
        )
    assigned = [
        TopicPartition(topic, partition)
        for topic, count in counts.items()
        for partition in range(count)
        if partition % share.hosts == share.index
    ]
    if not assigned:
        raise BrokerError(
            f"group {group.name}: {min(counts.values())} partitions for {share.hosts} hosts leave "
            "none for this one; grow the group's topics or take a host out of its inventory group"
        )
    return assigned


def read_end_offsets(path: Path, wanted: list[TopicPartition]) -> dict[TopicPartition, int] | None:
    """Return the end offsets of `wanted`, or None while the file does not name all of them.

    The file is copied there from elsewhere: half a file is not an error but not there yet.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {tp: int(content[tp.topic][str(tp.partition)]) for tp in wanted}
    except (OSError, ValueError, KeyError, TypeError):
        return None


class Consumer:
    """The loop from poll to segments."""

    def __init__(
        self, reader: Reader, run: Run, group: Group, share: Share, clock: Callable[[], float]
    ) -> None:
        """Open or create the segments of all assigned partitions.

        Raises:
            BrokerError: see `assigned_partitions`.
            StorageError: a segment cannot be opened, see `segment.Segment`.

        """
        self.segments: dict[TopicPartition, Segment] = {}
        self.progress = Progress({m.topic: 0 for m in group.metrics})
        self._reader = reader
        self._run = run
        self._columns = {m.topic: m.column for m in group.metrics}
        self._run_header = (RUN_ID_HEADER, run.run_id.encode())
        self._clock = clock
        self._unstored = 0
        self._next_store = clock() + STORE_SECONDS
        topic_partitions = assigned_partitions(reader, group, share)
        ends = reader.end_offsets(topic_partitions)
        try:
            for tp in topic_partitions:
                fresh = Sidecar(run.run_id, tp.topic, tp.partition, ends[tp], 0, 0)
                path = run.raw / tp.topic / f"{tp.partition}.csv"
                self.segments[tp] = Segment(path, self._columns[tp.topic], fresh)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the segments, without storing."""
        for segment in self.segments.values():
            segment.close()

    def start(self) -> None:
        """Position all partitions; return once the broker answered the first poll."""
        self._take(self._reader.start({tp: s.state.offset for tp, s in self.segments.items()}))

    def run(self, stopping: Callable[[], bool], status: Callable[[], None]) -> bool:
        """Store records until the end offsets are reached, or until `stopping()`.

        Returns:
            Whether the end offsets were reached.

        Raises:
            BrokerError: an offset is gone, or nothing came for STALL_SECONDS before the end.
            StorageError: the disk is full; what was stored stays valid.

        """
        moved = next_look = self._clock()
        ended = False
        while not stopping() and not ended:
            records = self._reader.poll(POLL_MS, POLL_RECORDS)
            self._take(records)
            now = self._clock()
            moved = now if records else moved
            if self._unstored >= STORE_BYTES or now >= self._next_store:
                self._store(now)
            status()
            # Others may write to the topics for ever: the ends count also while records come.
            if not records or now >= next_look:
                next_look = now + LOOK_SECONDS
                ends = read_end_offsets(self._run.end_offsets, list(self.segments))
                ended = ends is not None and self._reached(ends, now - moved)
        self._store(self._clock())
        return ended

    def _reached(self, ends: dict[TopicPartition, int], idle: float) -> bool:
        behind = [tp for tp, end in ends.items() if self.segments[tp].state.offset < end]
        if behind and idle > STALL_SECONDS:
            tp = behind[0]
            raise BrokerError(
                f"topic {tp.topic}: partition {tp.partition} stands at offset "
                f"{self.segments[tp].state.offset} of {ends[tp]} since {int(idle)} s; check that "
                "kafka.service runs, then start this consumer again"
            )
        return not behind

    def _take(self, records: Records) -> None:
        """Append a poll's records to their segments."""
        began = time.monotonic()
        for tp, batch in records.items():
            segment = self.segments[tp]
            column = self._columns[tp.topic]
            readings: list[Reading] = []
            for record in batch:
                if self._run_header not in record.headers:
                    segment.state.foreign += 1
                    continue
                try:
                    readings.append(decode_value(record.value, column))
                except ValueError as error:
                    self._set_aside(segment, record, str(error))
            offset = batch[-1].offset + 1
            self._unstored += segment.append(csv_lines(readings), len(readings), offset)
            if readings:
                self.progress.rows[tp.topic] += len(readings)
                self.progress.last = time.monotonic()
                self.progress.first = self.progress.first or began

    def _set_aside(self, segment: Segment, record: ConsumerRecord, reason: str) -> None:
        """Count a record of this run that is not in the wire format, and keep the first ones."""
        segment.state.malformed += 1
        if segment.state.malformed > MALFORMED_SHOWN:
            return
        entry = {
            "offset": record.offset,
            "reason": reason,
            "value_base64": base64.b64encode(record.value or b"").decode(),
        }
        path = segment.path.with_suffix(".malformed.jsonl")
        try:
            with path.open("a", encoding="utf-8") as out:
                out.write(json.dumps(entry) + "\n")
        except OSError as error:
            raise storage_error(path, error) from error

    def _store(self, now: float) -> None:
        self._next_store = now + STORE_SECONDS
        self._unstored = 0
        stored = {}
        for tp, segment in self.segments.items():
            if segment.dirty:
                segment.store()
                stored[tp] = segment.state.offset
        if stored:
            self._reader.commit(stored)

    def totals(self, attribute: str) -> dict[str, int]:
        """Return the sum of a sidecar number (`rows`, `foreign`, `malformed`) by topic."""
        sums = dict.fromkeys(self._columns, 0)
        for tp, segment in self.segments.items():
            sums[tp.topic] += getattr(segment.state, attribute)
        return sums
