"""Store the rows that agents send, for ever, in segments by day.

Guarantee: see `days`. Where to read on is the journals' word; where a partition has none on this
host, its rows begin where another host's end, as that one committed, or at the oldest record.
Rows that an agent sent twice are stored twice: the analysis takes the first and counts the other.
Memory is bounded by one poll's records.
"""

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from server_monitoring.broker.reader import Reader, Record, Records, TopicPartition
from server_monitoring.consume.assignment import Claim, assigned_partitions
from server_monitoring.consume.consumer import POLL_MS, POLL_RECORDS, STORE_BYTES
from server_monitoring.consume.sift import OUTLYING, Row, Timely, day_of, own, rows
from server_monitoring.errors import BrokerError, UnreachableError
from server_monitoring.model.groups import Group, Share
from server_monitoring.model.names import LIVE_RUN
from server_monitoring.model.senders import Senders
from server_monitoring.model.timestamps import SECONDS_PER_DAY
from server_monitoring.store.days import RAW, UNTIMELY, Days, DaySegments
from server_monitoring.store.journal import Journal
from server_monitoring.store.segment import csv_lines

# A store waits for the disk several times for each partition.
STORE_SECONDS = 5.0
LOOK_SECONDS = 10.0


class LiveConsumer:
    """The loop from poll to the days' segments.

    Attributes:
        partitions: the segments of each partition of this host's share.
        behind: records that were written and not read yet, when that was asked last.

    """

    def __init__(
        self,
        reader: Reader,
        live: Path,
        group: Group,
        share: Share,
        timely: Timely,
        senders: Senders,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open or create the journals of all partitions, and claim these.

        Raises:
            BrokerError: see `assignment.assigned_partitions`; records that were not read are gone.
            StorageError: see `days.DaySegments`.

        """
        self.partitions: dict[TopicPartition, DaySegments] = {}
        self.behind = 0
        self._reader = reader
        self._columns = {metric.topic: metric.column for metric in group.metrics}
        self._timely = timely
        self._senders = senders
        self._clock = clock
        self._claim = Claim.of_this_host(LIVE_RUN)
        self._unstored = 0
        self._next_store = self._next_look = 0.0
        self._days = Days(live)
        assigned = assigned_partitions(reader, group, share)
        self._count = reader.partitions(assigned[0].topic)
        self._topic_ids = reader.topic_ids(list(self._columns))
        try:
            self._open(live, assigned)
        except BaseException:
            self.close()
            raise

    def _open(self, live: Path, assigned: list[TopicPartition]) -> None:
        committed = self._committed(assigned)
        for tp in assigned:
            oldest = self._reader.beginning(tp)
            begin = max(oldest, committed.get(tp, (0, False))[0])
            fresh = Journal(tp.topic, self._topic_ids[tp.topic], tp.partition, begin)
            segments = DaySegments(live, self._columns[tp.topic], fresh)
            self.partitions[tp] = segments
            offset, elsewhere = committed.get(tp, (0, False))
            if elsewhere and offset > segments.state.offset:
                segments.moved(offset)  # another host had the partition meanwhile, and its rows
                segments.store()
            if segments.state.offset < oldest:
                raise BrokerError(
                    f"topic {tp.topic}: partition {tp.partition}: records from offset "
                    f"{segments.state.offset} to {oldest - 1} are gone (retention) before this "
                    f"host stored them; move {segments.path} away to go on at {oldest}, and let "
                    "the topic keep its records for longer than a consumer may be away"
                )
        self._reader.claim(self._offsets(), self._claim.text())

    def _committed(self, assigned: list[TopicPartition]) -> dict[TopicPartition, tuple[int, bool]]:
        """Return the offsets that are committed, and whether another host did."""
        found = {}
        for tp, (offset, metadata) in self._reader.committed(assigned).items():
            claim = Claim.parse(metadata)
            if claim is not None and claim.run_id == LIVE_RUN:
                found[tp] = offset, claim.host != self._claim.host
        return found

    def _offsets(self) -> dict[TopicPartition, int]:
        return {tp: segments.state.offset for tp, segments in self.partitions.items()}

    def close(self) -> None:
        """Close the segments, without storing."""
        for segments in self.partitions.values():
            segments.close()

    def start(self) -> None:
        """Position all partitions; return once the broker answered the first poll."""
        self._take(self._reader.start(self._offsets()))

    def run(self, stopping: Callable[[], bool], status: Callable[[], None]) -> None:
        """Store rows until `stopping()`, and call `status` after each poll.

        Raises:
            BrokerError: no answer, an offset is gone, or a topic was created again meanwhile.
            StorageError: the disk is full; what was stored stays valid.

        """
        while not stopping():
            self._take(self._reader.poll(POLL_MS, POLL_RECORDS))
            now = self._clock()
            if self._unstored >= STORE_BYTES or now >= self._next_store:
                self._next_store = now + STORE_SECONDS
                self._store()
            if now >= self._next_look:
                self._next_look = now + LOOK_SECONDS
                self._look()
            status()
        self._store()
        with contextlib.suppress(BrokerError):  # what counts is in the journals
            self._reader.claim(self._offsets(), self._claim.text())

    def _take(self, records: Records) -> None:
        for tp, batch in records.items():
            segments = self.partitions[tp]
            agents = own(batch)
            segments.state.foreign += len(batch) - len(agents)
            self._append(segments, agents, tp.topic)
            segments.moved(batch[-1].offset + 1)

    def _append(self, segments: DaySegments, records: Sequence[Record], topic: str) -> None:
        today = int(self._clock()) // SECONDS_PER_DAY
        near = [day_of(number) for number in range(today - 1, today + 2)]

        def aside(record: Record, kind: str, reason: str) -> None:
            # It says no time that can be trusted: it counts with the day on which it is read.
            segments.set_aside(near[1], record.offset, kind, reason, record.value)

        found: dict[str, list[Row]] = defaultdict(list)
        of_offset = {record.offset: record for record in records}
        column = self._columns[topic]
        for row in rows(records, column, self._timely, aside, self._senders, topic):
            if not self._days.take(row.day, near):
                why = f"of {row.day}: there are too many days already"
                aside(of_offset[row.offset], OUTLYING, why)
                continue
            found[f"{row.day}/{RAW}"].append(row)
            if not row.timely:
                found[f"{row.day}/{UNTIMELY}"].append(row)
        for name, of_day in found.items():
            last, lines = of_day[-1], csv_lines([row.reading for row in of_day])
            self._unstored += segments.append(
                name, lines, len(of_day), last.offset + 1, last.second
            )

    def _store(self) -> None:
        self._unstored = 0
        changed = [tp for tp, segments in self.partitions.items() if segments.dirty]
        for segments in self.partitions.values():
            segments.store()
        self._days.look()
        if changed:
            offsets = self._offsets()
            self._reader.commit({tp: offsets[tp] for tp in changed}, self._claim.text())

    def _look(self) -> None:
        """Ask how far the topics are, and whether they are still the same."""
        ends = self._reader.end_offsets(list(self.partitions))
        self.behind = sum(max(0, ends[tp] - offset) for tp, offset in self._offsets().items())
        for topic in self._columns:
            if self._reader.partitions(topic) != self._count:
                raise UnreachableError(f"topic {topic}: has grown; reading its new partitions")
        for topic, found in self._reader.topic_ids(list(self._columns)).items():
            if found != self._topic_ids[topic]:
                raise BrokerError(
                    f"topic {topic}: deleted and created again (topic id "
                    f"{self._topic_ids[topic]}, now {found}); start this consumer again: it says "
                    "what to do"
                )

    def totals(self, attribute: str) -> dict[str, int]:
        """Return the sum of a number of the journals, such as `rows` or `foreign`, by topic."""
        sums = dict.fromkeys(self._columns, 0)
        for tp, segments in self.partitions.items():
            sums[tp.topic] += getattr(segments.state, attribute)
        return sums
