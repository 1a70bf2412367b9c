"""What a run has in its topics already, so that a producer that was killed goes on from there.

While it sends, a producer writes a checkpoint about once a second: the row up to which everything
is acknowledged, and for each partition an offset with no later row before it. The next start reads
from there to the end. It finds the last row of each partition, and counts: a partition's rows are
sent in ascending order, so if there are as many rows as the data set has between the checkpoint's
row and the last one, none is missing in between. One may be if the broker refused a record, or was
away for too long, and later ones were accepted. Sent now, a missing row would look like one that
was sent twice, so such a run is refused.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from server_monitoring.broker.reader import Reader, Record, TopicPartition
from server_monitoring.errors import BrokerError
from server_monitoring.host.durable import read_json, write_json
from server_monitoring.host.runs import Run
from server_monitoring.model.groups import Metric
from server_monitoring.model.wire import RUN_ID_HEADER, partition_for, row_number
from server_monitoring.produce.marker import Marker
from server_monitoring.sources.rows import Row

Offsets = dict[str, dict[str, int]]
Rows = dict[TopicPartition, int]


@dataclass(frozen=True)
class Checkpoint:
    """How far a producer got.

    Attributes:
        row: all records of the rows up to this one are acknowledged; 0 before any.
        offsets: by topic and partition; later rows are at this offset or after it.

    """

    row: int
    offsets: Offsets


@dataclass(frozen=True)
class Found:
    """A partition's rows after a checkpoint: how many, and the last one (or the checkpoint's)."""

    rows: int
    last: int


def checkpoint_path(run: Run) -> Path:
    """Return where a run's checkpoint is."""
    return run.directory / "produce.progress"


def write_checkpoint(run: Run, checkpoint: Checkpoint) -> None:
    """Replace the run's checkpoint.

    Raises:
        StorageError: the file cannot be written.

    """
    write_json(checkpoint_path(run), asdict(checkpoint))


def read_checkpoint(run: Run, marker: Marker) -> Checkpoint:
    """Return the run's checkpoint, or the beginning of the run if there is no usable one.

    An older checkpoint only costs time: more is read.
    """
    try:
        found = read_json(checkpoint_path(run), Checkpoint)
    except (OSError, ValueError):
        found = None
    if found is None or _partitions(found.offsets) != _partitions(marker.start_offsets):
        return Checkpoint(0, marker.start_offsets)
    return found


def _partitions(offsets: Offsets) -> set[tuple[str, str]]:
    return {(topic, partition) for topic, starts in offsets.items() for partition in starts}


def find(
    reader: Reader, run_id: str, checkpoint: Checkpoint, ends: Offsets
) -> dict[TopicPartition, Found]:
    """Return the rows of the run after `checkpoint` and before `ends`.

    Raises:
        BrokerError: no answer.

    """
    found = {}
    for topic, by_partition in checkpoint.offsets.items():
        for partition, offset in by_partition.items():
            tp, end = TopicPartition(topic, int(partition)), ends[topic][partition]
            # Rows of this run that retention has deleted will be missing in the count.
            first = max(offset, reader.beginning(tp)) if offset < end else end
            records = reader.records(tp, first, end) if first < end else iter(())
            found[tp] = _ascending(_own_rows(records, run_id), checkpoint.row)
    return found


def _own_rows(records: Iterable[Record], run_id: str) -> Iterator[int]:
    header = (RUN_ID_HEADER, run_id.encode())
    for record in records:
        if header in record.headers:
            try:
                yield row_number(record.headers)
            except ValueError:
                continue  # of another writer that uses this run's name


def _ascending(rows: Iterable[int], last: int) -> Found:
    """Count rows as a consumer stores them: those higher than all before."""
    count = 0
    for row in rows:
        if row > last:
            last = row
            count += 1
    return Found(count, last)


def check_whole(
    found: Mapping[TopicPartition, Found],
    checkpoint: Checkpoint,
    rows: Iterable[Row],
    metrics: Sequence[Metric],
) -> None:
    """Compare what was found with the data set's good rows.

    Raises:
        BrokerError: rows before a partition's last one are missing.

    """
    missing = {tp: -at.rows for tp, at in found.items()}
    highest = max(at.last for at in found.values())
    counts = {topic: len(offsets) for topic, offsets in checkpoint.offsets.items()}
    for row in rows:
        if row.line > highest:
            break
        if row.line <= checkpoint.row:
            continue
        for metric, value in zip(metrics, row.values, strict=True):
            partition = partition_for(row.server_id, counts[metric.topic])
            tp = TopicPartition(metric.topic, partition)
            if value and row.line <= found[tp].last:
                missing[tp] += 1
    for tp, count in missing.items():
        if count:
            raise BrokerError(
                f"topic {tp.topic}: partition {tp.partition} ends with line {found[tp].last}, but "
                f"{count} rows before it are missing: they were refused, given up or deleted, and "
                "can no longer be sent in order; start a new run"
            )
