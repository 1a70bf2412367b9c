"""How live mode stands, of all groups and servers, by what detectors wrote last."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from server_monitoring.broker.client import client_for
from server_monitoring.broker.reader import Reader, TopicPartition
from server_monitoring.detect import state
from server_monitoring.detect.takeover import committed
from server_monitoring.errors import BrokerError, one_line
from server_monitoring.model.groups import Group
from server_monitoring.model.live import BOOKS_DIFFER, FIRING, PROGRESS, read_key, utc_second
from server_monitoring.model.wire import partition_for
from server_monitoring.settings.config import Config, live_of

Status = dict[str, Any]
Place = tuple[str, str, str, int]
"""Group, server id, label, partition."""


def status(config: Config, clock: Callable[[], float] = time.time) -> Status:
    """Return servers with their last sample and what fires, how far detectors are behind.

    `books` has the days whose books differ, `lag` the rows of each topic that no detector read
    yet, as detectors say it each few seconds.

    Raises:
        ConfigError: live mode is not set up.
        BrokerError: no answer, a refusal, or a record that is no state.

    """
    live = live_of(config)
    with client_for(config.kafka_client).open_reader(config.cluster, live=True) as reader:
        counts = {m.topic: reader.partitions(m.topic) for m in config.metrics()}
        tps = [TopicPartition(topic, p) for topic, n in counts.items() for p in range(n)]
        # Before anything is read: a question would wait behind each answer to a fetch.
        ends = reader.end_offsets(tps)
        firsts = {tp: reader.beginning(tp) for tp in tps}
        found = _last(reader, live.state_topic)
    groups = list(config.groups.values())
    servers = [
        server
        for group in groups
        for server in _servers(found, group, counts[group.metrics[0].topic], live.servers, clock())
    ]
    return {
        "servers": servers,
        "books": _books(found),
        "lag": _lag(found, groups, firsts, ends),
    }


def _last(reader: Reader, topic: str) -> dict[Place, Any]:
    """Return the last state of each key that has one, as JSON."""
    tps = [TopicPartition(topic, p) for p in range(reader.partitions(topic))]
    found: dict[Place, Any] = {}
    for tp, records in committed(reader, tps):
        for record in records:
            try:
                place = (*read_key(record.key or b""), tp.partition)
                if record.value is None:
                    found.pop(place, None)
                else:
                    found[place] = state.fields(record.value)
            except ValueError as error:
                raise BrokerError(
                    f"topic {topic}: partition {tp.partition}: the record at offset "
                    f"{record.offset} is no alert's state ({one_line(error, 80)}); find out who "
                    "writes to this topic"
                ) from error
    return found


def _servers(
    found: dict[Place, Any], group: Group, count: int, listed: Iterable[str], now: float
) -> list[Status]:
    """Return a group's servers; states of before topics grew are passed over, as detectors do."""
    own: dict[str, dict[str, Any]] = {server_id: {} for server_id in listed}
    for (of_group, server_id, label, partition), content in found.items():
        if server_id and of_group == group.name and partition_for(server_id, count) == partition:
            own.setdefault(server_id, {})[label] = content
    return [_server(group, server_id, own[server_id], now) for server_id in sorted(own)]


def _server(group: Group, server_id: str, labels: dict[str, Any], now: float) -> Status:
    last = labels.get(PROGRESS, {}).get("newest")
    return {
        "server_id": server_id,
        "group": group.name,
        "last_sample": last,
        "behind_seconds": None if last is None else max(0, int(now) - utc_second(last)),
        "firing": [
            {"label": label, "since": content.get("since")}
            for label, content in sorted(labels.items())
            if content.get("state") == FIRING
        ],
    }


def _books(found: dict[Place, Any]) -> list[Status]:
    """Return the days whose books differ, each of a group and the host that has the partition."""
    return [
        {"group": group, "day": label.removeprefix(BOOKS_DIFFER).strip(), "since": content["since"]}
        for (group, server_id, label, _), content in sorted(found.items(), key=lambda at: at[0])
        if not server_id and label.startswith(BOOKS_DIFFER) and content.get("state") == FIRING
    ]


def _lag(
    found: dict[Place, Any],
    groups: Iterable[Group],
    firsts: dict[TopicPartition, int],
    ends: dict[TopicPartition, int],
) -> dict[str, int]:
    """Return of each topic how many records no detector has read."""
    lag = {metric.topic: 0 for group in groups for metric in group.metrics}
    names = {metric.topic: group.name for group in groups for metric in group.metrics}
    for tp, end in ends.items():
        claim = found.get((names[tp.topic], "", tp.topic, tp.partition), {})
        lag[tp.topic] += max(0, end - max(firsts[tp], int(claim.get("read_to", 0))))
    return lag
