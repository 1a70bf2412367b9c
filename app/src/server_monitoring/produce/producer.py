"""Send a data set: one record per metric and row, all of it or a reason with the row's line.

Guarantee: the producer is idempotent and waits for all in-sync replicas; when `produce` returns,
each good row is in each topic, a server's rows lie in its partition in the file's order, and no
row is there twice unless a producer was killed while a request was under way: such rows
stand behind those with higher numbers, and consumers drop them. After a crash at any point the
next start goes on behind the last row of each partition, or refuses a gap. Void if two hosts send
the same run.
"""

import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from server_monitoring.broker.client import client_for
from server_monitoring.broker.limits import DOUBT_SECONDS
from server_monitoring.broker.patience import Patience
from server_monitoring.broker.reader import Reader, TopicPartition
from server_monitoring.host.full_disk import FullDisk
from server_monitoring.host.runs import Run
from server_monitoring.produce import resume
from server_monitoring.produce.marker import Marker, begin
from server_monitoring.produce.pace import Pace, chunks
from server_monitoring.produce.sender import Checkpoints, Chunk, Sender, Sent, settle
from server_monitoring.settings.config import Config
from server_monitoring.sources.rows import Row

ROWS_PER_CHUNK = 2_000
CHUNKS_IN_FLIGHT = 4


def start(
    config: Config,
    run: Run,
    sha256: str,
    dataset: Path,
    *,
    full_disk: FullDisk,
    patience: Patience,
) -> tuple[Marker, bool]:
    """Note what the run begins with; return that of its first start, and whether there was one.

    Raises:
        BrokerError: the broker does not answer, or a topic is missing.
        DatasetError, StorageError: see `marker.begin`.

    """
    columns = {metric.topic: metric.column for metric in config.metrics()}

    def look() -> Marker:
        with client_for(config.kafka_client).open_reader(config.cluster) as reader:
            partitions = {topic: reader.partitions(topic) for topic in columns}
            ids = reader.topic_ids(list(partitions))
            return Marker(run.run_id, sha256, columns, ids, _end_offsets(reader, partitions))

    now = patience.retry(look)
    return full_disk.retry(lambda: begin(run, now, dataset))


@dataclass(frozen=True)
class Sending:
    """What one run is sent with.

    Attributes:
        config: the brokers and metrics; a row's values are in the order of `config.metrics()`.
        run: where checkpoints are kept.
        marker: of the run's first start.
        pace: how fast.
        full_disk: waits until a checkpoint can be written.
        patience: waits for a broker that is away when it is asked.
        tell: told of how many seconds an acknowledgement is waited for, and why.

    """

    config: Config
    run: Run
    marker: Marker
    pace: Pace
    full_disk: FullDisk
    patience: Patience
    tell: Callable[[float, object], object]


def find_sent(sending: Sending, rows: Callable[[], Iterable[Row]]) -> resume.Rows:
    """Return the last row of each partition that an earlier start sent.

    `rows` returns an iterator over the good rows.

    Raises:
        BrokerError: no answer, or rows before a last one are missing.

    """
    config, marker = sending.config, sending.marker
    checkpoint = resume.read_checkpoint(sending.run, marker)

    def look() -> dict[TopicPartition, resume.Found]:
        with client_for(config.kafka_client).open_reader(config.cluster) as reader:
            ends = _end_offsets(reader, marker.partitions())
            return resume.find(reader, marker.run_id, checkpoint, ends)

    found = sending.patience.retry(look)
    if any(at.rows for at in found.values()):
        resume.check_whole(found, checkpoint, rows(), config.metrics())
    return {tp: at.last for tp, at in found.items()}


def produce(
    sending: Sending,
    rows: Iterable[Row],
    held: resume.Rows,
    progress: Callable[[int, int], None],
) -> Sent:
    """Send `rows` and wait until the broker has them all.

    Args:
        sending: the run, and where to and how fast it goes.
        rows: good rows, canonical.
        held: last row of each partition that is there already.
        progress: called after each chunk with the number of acknowledged rows, those held too,
            and that of the messages that this call sent for them.

    Raises:
        BrokerError: the broker stopped answering, refused a record (its line is named), or a
            topic was created again meanwhile.
        StorageError: a checkpoint cannot be written.

    """
    config, marker = sending.config, sending.marker
    client, cluster = client_for(config.kafka_client), config.cluster
    metrics = config.metrics()
    topics = [metric.topic for metric in metrics]
    sent = Sent(dict.fromkeys(topics, 0), dict.fromkeys(topics, 0))
    checkpoints = Checkpoints(
        sending.run, resume.read_checkpoint(sending.run, marker), sending.full_disk
    )
    in_flight: deque[Chunk] = deque()
    # The client gives up before, with its reason.
    patience = config.broker_timeout + 5
    settled = messages = 0
    with contextlib.ExitStack() as until:
        opened = partial(client.open_producer, cluster, config.broker_timeout, config.compression)
        producer = sending.patience.retry(lambda: until.enter_context(opened()))
        sender = Sender(client, producer, cluster, marker, metrics, held, sent, sending.tell)
        for chunk in chunks(rows, ROWS_PER_CHUNK, sending.pace):
            in_flight.append(sender.send(chunk))
            if len(in_flight) > CHUNKS_IN_FLIGHT:
                oldest = in_flight.popleft()
                settled += settle(oldest, checkpoints, patience, sender)
                messages += len(oldest.pending)
                progress(settled, messages)
        needs = f"Write on topic {', '.join(topics)}"
        doing = "waiting for the last acknowledgements"
        # What takes longer is waited for record by record, which tells so.
        with client.translated(cluster, doing, needs), contextlib.suppress(client.TIMEOUT):
            producer.flush(timeout=DOUBT_SECONDS)
        while in_flight:
            oldest = in_flight.popleft()
            settled += settle(oldest, checkpoints, patience, sender)
            messages += len(oldest.pending)
        progress(settled, messages)
    sent.end_offsets = sending.patience.retry(lambda: _check_ends(sending))
    return sent


def _check_ends(sending: Sending) -> dict[str, dict[str, int]]:
    """Return where the partitions end, of the topics that the run began with."""
    config, marker = sending.config, sending.marker
    with client_for(config.kafka_client).open_reader(config.cluster) as reader:
        reader.check_same(marker.topic_ids)
        return _end_offsets(reader, marker.partitions())


def _end_offsets(reader: Reader, partitions: dict[str, int]) -> dict[str, dict[str, int]]:
    topic_partitions = [TopicPartition(t, p) for t, n in partitions.items() for p in range(n)]
    ends = reader.end_offsets(topic_partitions)
    by_topic: dict[str, dict[str, int]] = {topic: {} for topic in partitions}
    for tp in topic_partitions:
        by_topic[tp.topic][str(tp.partition)] = ends[tp]
    return by_topic
