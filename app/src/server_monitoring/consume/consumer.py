"""Store a group's records of one run in raw segments, then stop at the end offsets.

Guarantee: see `segment`. Offsets are this host's own, in the sidecars; those committed to the
broker only show progress. Memory is bounded by one poll's records.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from server_monitoring.broker.reader import Reader, Record, Records, TopicPartition
from server_monitoring.consume.assignment import Claim, assigned_partitions, check_not_moved
from server_monitoring.errors import BrokerError
from server_monitoring.host.runs import Run
from server_monitoring.model.batches import decode_values, row_numbers
from server_monitoring.model.groups import Group, Share
from server_monitoring.model.wire import RUN_ID_HEADER, Reading, decode_value, row_number
from server_monitoring.store.segment import Segment, csv_lines
from server_monitoring.store.sidecar import Sidecar

POLL_MS = 200
POLL_RECORDS = 10_000
STORE_SECONDS = 1.0
LOOK_SECONDS = 1.0
# A store is several waits for the disk: a fast stream is stored no more often than a slow one.
STORE_BYTES = 64 * 1024 * 1024


@dataclass
class Progress:
    """What a consumer has done since it started (a resumed one starts from its sidecars).

    Attributes:
        rows: rows stored by this process, by topic.
        first, last: monotonic times: before the first records came, and when the last ones stored
            were durable.

    """

    rows: dict[str, int] = field(default_factory=dict)
    first: float | None = None
    last: float | None = None

    def seconds(self) -> float:
        """Return the seconds from the first to the last records."""
        return self.last - self.first if self.first is not None and self.last else 0.0


class Waits(NamedTuple):
    """For how many seconds a consumer waits.

    Attributes:
        broker: for a record before the end offsets, once these are known.
        run: for a record of any partition of its topics, or the end offsets, before these are.

    """

    broker: float
    run: float


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
        self,
        reader: Reader,
        run: Run,
        group: Group,
        share: Share,
        waits: Waits,
        clock: Callable[[], float],
    ) -> None:
        """Open or create the segments of all assigned partitions, and claim those.

        Raises:
            BrokerError: see `assigned_partitions`.
            StorageError: a partition moved during the run, or a segment cannot be opened, see
                `assignment.check_not_moved` and `segment.Segment`.

        """
        self.segments: dict[TopicPartition, Segment] = {}
        self.progress = Progress({m.topic: 0 for m in group.metrics})
        self._reader = reader
        self._run = run
        self._columns = {m.topic: m.column for m in group.metrics}
        self._run_header = (RUN_ID_HEADER, run.run_id.encode())
        self._claim = Claim.of_this_host(run.run_id).text()
        self._waits = waits
        # Seconds since when nothing comes, although the end offsets say that more is there.
        self.behind = 0.0
        self._clock = clock
        self._unstored = 0
        self._next_store = clock() + STORE_SECONDS
        assigned = assigned_partitions(reader, group, share)
        self._topic_ids = reader.topic_ids(list(self._columns))
        check_not_moved(reader, run, assigned)
        try:
            self._open(assigned)
        except BaseException:
            self.close()
            raise

    def _open(self, assigned: list[TopicPartition]) -> None:
        self._written = self._end_of_all()
        ends = self._reader.end_offsets(assigned)
        for tp in assigned:
            topic_id = self._topic_ids[tp.topic]
            fresh = Sidecar(self._run.run_id, tp.topic, topic_id, tp.partition, ends[tp])
            path = self._run.segment(*tp)
            self.segments[tp] = Segment(path, self._columns[tp.topic], fresh)
        self._reader.claim(self._offsets(), self._claim)

    def _offsets(self) -> dict[TopicPartition, int]:
        return {tp: segment.state.offset for tp, segment in self.segments.items()}

    def _end_of_all(self) -> int:
        """Return how much was ever written to the topics, to partitions of other hosts too."""
        counts = {topic: self._reader.partitions(topic) for topic in self._columns}
        every = [TopicPartition(topic, p) for topic, n in counts.items() for p in range(n)]
        return sum(self._reader.end_offsets(every).values())

    def close(self) -> None:
        """Close the segments, without storing."""
        for segment in self.segments.values():
            segment.close()

    def start(self) -> None:
        """Position all partitions; return once the broker answered the first poll."""
        began = time.monotonic()
        self._take(self._reader.start(self._offsets()), began)

    def run(self, stopping: Callable[[], bool], status: Callable[[], None]) -> bool:
        """Store records until the end offsets are reached, or until `stopping()`.

        Returns:
            Whether the end offsets were reached.

        Raises:
            BrokerError: an offset is gone, nothing came for as long as `waits` says, or a topic was
                created again meanwhile.
            StorageError: the disk is full; what was stored stays valid.

        """
        moved = lives = next_look = self._clock()
        ends: dict[TopicPartition, int] | None = None
        ended = False
        while not stopping() and not ended:
            began = time.monotonic()
            records = self._reader.poll(POLL_MS, POLL_RECORDS)
            self._take(records, began)
            now = self._clock()
            moved = now if records else moved
            if self._unstored >= STORE_BYTES or now >= self._next_store:
                self._store(now)
            status()
            if ends is None and (not records or now >= next_look):
                next_look = now + LOOK_SECONDS
                ends = read_end_offsets(self._run.end_offsets, list(self.segments))
            # Others may write to the topics forever: the ends count also while records come.
            ended = ends is not None and self._reached(ends, now - moved)
            if records or ends is not None:
                lives = now
            elif now - lives > self._waits.run:
                self._check_lives()
                lives = now
        self._store(self._clock())
        if ended:
            self._reader.check_same(self._topic_ids)
        return ended

    def _reached(self, ends: dict[TopicPartition, int], idle: float) -> bool:
        behind = [tp for tp, end in ends.items() if self.segments[tp].state.offset < end]
        self.behind = idle if behind else 0.0
        if behind and idle > self._waits.broker:
            tp = behind[0]
            raise BrokerError(
                f"topic {tp.topic}: partition {tp.partition} stands at offset "
                f"{self.segments[tp].state.offset} of {ends[tp]} since {int(idle)} s; check that "
                "kafka.service runs, then start this consumer again"
            )
        return not behind

    def _check_lives(self) -> None:
        """Refuse to wait on for a run of which nothing comes to any host.

        Raises:
            BrokerError: nothing was written to the topics since this was asked before.

        """
        before, self._written = self._written, self._end_of_all()
        if self._written == before:
            raise BrokerError(
                f"run {self._run.run_id}: no record and no end offsets within "
                f"{self._waits.run:g} s: whoever started it is gone; what was stored stays in "
                f"{self._run.directory}; start a new run, and raise pipeline_idle_timeout if "
                "records may come so late"
            )

    def _take(self, records: Records, began: float) -> None:
        """Append the records of a poll that `began` then to their segments."""
        for tp, batch in records.items():
            segment = self.segments[tp]
            readings, last_row = self._sift(segment, batch, self._columns[tp.topic])
            offset = batch[-1].offset + 1
            self._unstored += segment.append(csv_lines(readings), len(readings), offset, last_row)
            if readings:
                self.progress.rows[tp.topic] += len(readings)
                self.progress.first = self.progress.first or began

    def _sift(
        self, segment: Segment, batch: Sequence[Record], column: str
    ) -> tuple[Sequence[tuple[str, str, str]], int]:
        """Return the readings of this run that are not stored yet, and the last row number.

        Nearly always that is the whole batch, and is found out for all at once.
        """
        rows = row_numbers(
            [record.headers for record in batch], self._run_header, segment.state.last_row
        )
        readings = decode_values([record.value for record in batch], column) if rows else None
        if rows and readings:
            return readings, rows[-1]
        return self._sift_each(segment, batch, column)

    def _sift_each(
        self, segment: Segment, batch: Sequence[Record], column: str
    ) -> tuple[list[Reading], int]:
        """Do as `_sift` does, record by record; count and set aside what is not stored.

        A producer that was killed and started again may send rows a second time; it sends a
        partition's rows in ascending order, so a row not above the last one is such a row.
        """
        state, run_header = segment.state, self._run_header
        last_row = state.last_row
        readings: list[Reading] = []
        for record in batch:
            if run_header not in record.headers:
                state.foreign += 1
                continue
            try:
                row = row_number(record.headers)
                if row <= last_row:
                    state.duplicates += 1
                    continue
                readings.append(decode_value(record.value, column))
                last_row = row
            except ValueError as error:
                segment.set_aside(record.offset, str(error), record.value)
        return readings, last_row

    def _store(self, now: float) -> None:
        self._next_store = now + STORE_SECONDS
        self._unstored = 0
        stored = {}
        for tp, segment in self.segments.items():
            if segment.dirty:
                segment.store()
                stored[tp] = segment.state.offset
        if stored:
            self.progress.last = time.monotonic()
            self._reader.commit(stored, self._claim)

    def totals(self, attribute: str) -> dict[str, int]:
        """Return the sum of a number of the sidecars, such as `rows` or `foreign`, by topic."""
        sums = dict.fromkeys(self._columns, 0)
        for tp, segment in self.segments.items():
            sums[tp.topic] += getattr(segment.state, attribute)
        return sums
