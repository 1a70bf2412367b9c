"""The live alerts as they come: each committed record as a JSON line, with its place.

A line says where its record stands (`partition`, `offset`). Lines of the kind `position` say from
where one reads on, at the start and then now and then, so that whoever reads them through a
connection that ended can go on there and misses nothing.
"""

import json
import time
from collections.abc import Callable, Mapping

from server_monitoring.broker.client import client_for
from server_monitoring.broker.failures import in_mid_run
from server_monitoring.broker.reader import Reader, TopicPartition
from server_monitoring.model.live import POSITION, UNITS, utc_text
from server_monitoring.settings.config import Config, live_of

POLL_MS, POLL_RECORDS = 500, 1_000
POSITION_SECONDS = 30.0
Positions = Mapping[int, int]


def follow(
    config: Config,
    since: float | None,
    positions: Positions,
    write: Callable[[str], object],
    stopping: Callable[[], bool],
) -> None:
    """Write a line of each alert record that is committed, until `stopping()`.

    Args:
        config: of a host that reaches the brokers.
        since: from records of this second on; None: from now on.
        positions: offsets, by partition, to go on from instead; `since` counts for the others.
        write: takes lines.
        stopping: whether to end.

    Raises:
        ConfigError: live mode is not set up.
        BrokerError: no answer, or a refusal.

    """
    topic = live_of(config).alerts_topic
    with client_for(config.kafka_client).open_reader(config.cluster, live=True) as reader:
        while not stopping():
            positions = _follow(
                reader, config, _places(reader, topic, since, positions), write, stopping
            )


def _follow(
    reader: Reader,
    config: Config,
    places: dict[TopicPartition, int],
    write: Callable[[str], object],
    stopping: Callable[[], bool],
) -> dict[int, int]:
    """Write lines until `stopping()` or the topic has grown; return where to go on."""
    topic = live_of(config).alerts_topic
    units = {m.output_column: UNITS[m.column] for m in config.metrics() if m.column in UNITS}

    def positions() -> dict[int, int]:
        return {tp.partition: offset for tp, offset in places.items()}

    def tell_position() -> None:
        at = utc_text(int(time.time()))
        write(json.dumps({"kind": POSITION, "at": at, "positions": positions(), "units": units}))

    records = reader.start(dict(places))
    tell_position()
    told = time.monotonic()
    with in_mid_run():
        while not stopping():
            for tp, batch in records.items():
                for record in batch:
                    write(_line(tp, record.offset, record.value))
                    places[tp] = record.offset + 1
            if time.monotonic() - told >= POSITION_SECONDS:
                told = time.monotonic()
                tell_position()
                if reader.partitions(topic) > len(places):
                    break
            records = reader.poll(POLL_MS, POLL_RECORDS)
    return positions()


def _places(
    reader: Reader, topic: str, since: float | None, positions: Positions
) -> dict[TopicPartition, int]:
    """Return where to begin in each partition; what is no longer there is passed over."""
    tps = [TopicPartition(topic, p) for p in range(reader.partitions(topic))]
    ends = reader.end_offsets(tps)
    begin = dict(ends) if since is None else reader.offsets_at(tps, since)
    for tp in tps:
        if tp.partition in positions:
            first, at = reader.beginning(tp), positions[tp.partition]
            # One that is beyond the end is of a topic before this one.
            begin[tp] = at if first <= at <= ends[tp] else first
        elif positions:
            begin[tp] = reader.beginning(tp)  # the topic has grown since
    return begin


def _line(tp: TopicPartition, offset: int, value: bytes | None) -> str:
    try:
        found = json.loads(value or b"")
        fields = found if isinstance(found, dict) else {"kind": "", "value": found}
    except ValueError:
        fields = {"kind": "", "value": (value or b"").decode(errors="replace")}
    return json.dumps({**fields, "partition": tp.partition, "offset": offset}, ensure_ascii=False)
