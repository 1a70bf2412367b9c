"""The live alerts as they stand in their topic, and the one that says that books differ."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from server_monitoring.broker.client import client_for
from server_monitoring.broker.reader import Reader, TopicPartition
from server_monitoring.broker.transaction import Outgoing
from server_monitoring.model.groups import Group
from server_monitoring.model.live import (
    BOOKS_DIFFER,
    FIRING,
    RESOLVED,
    TRANSITION,
    alert_id,
    books_group,
    books_label,
    state_key,
    utc_text,
)
from server_monitoring.settings.config import Config, live_of, share_of

# By how much clocks may differ.
CLOCK_SECONDS = 60
# Of windows in the alert of a day.
MOST_NAMED = 20
TRANSACTION_SECONDS = 30.0


def read_alerts(config: Config, group: Group, since: int) -> Iterator[str]:
    """Yield the records of the partitions whose servers are this host's, as JSON texts.

    An alert is in the partition of its server's rows; what is not committed is left out, and so
    is what was written before rows of the second `since` could come.

    Raises:
        ConfigError: live mode is not set up, or this host consumes nothing of the group.
        BrokerError: no answer, or a refusal.

    """
    live, share = live_of(config), share_of(config, group.name)
    first = since - live.future_seconds - CLOCK_SECONDS
    with client_for(config.kafka_client).open_reader(config.cluster, live=True) as reader:
        count = reader.partitions(live.alerts_topic)
        tps = [TopicPartition(live.alerts_topic, p) for p in range(share.index, count, share.hosts)]
        # Before anything is read: a question would wait behind each answer to a fetch.
        ends, firsts = reader.end_offsets(tps), reader.offsets_at(tps, first)
        for _, records in reader.batches(firsts, ends):
            for record in records:
                yield (record.value or b"").decode(errors="replace")


def tell_books(
    config: Config,
    group: Group,
    day: str,
    count: int,
    windows: Sequence[Mapping[str, Any]],
    clock: Callable[[], float] = time.time,
) -> None:
    """Write an alert that a group's books of a day differ; or that they no longer do.

    Both records, of the alert and of its state, come in one transaction, and none where the same
    was told already. They stand in the first partition of this host's share, so that each host
    tells of its own servers.

    Args:
        config: of this host.
        group: whose books they are.
        day: its date.
        count: of all differences.
        windows: those that are listed, of any group.
        clock: seconds since 1970.

    Raises:
        ConfigError: live mode is not set up, or this host consumes nothing of the group.
        FencedError: another process tells the same.
        BrokerError: no answer, or a refusal.

    """
    live, index = live_of(config), share_of(config, group.name).index
    client, label = client_for(config.kafka_client), books_label(day)
    state, key = TopicPartition(live.state_topic, index), state_key(group.name, "", label)
    with client.open_reader(config.cluster, live=True) as reader:
        before = _last(reader, state, key)
    named = [
        {name: window[name] for name in ("kind", "server_id", "window_start")}
        for window in windows
        if window["group"] == group.name
    ][:MOST_NAMED]
    fires, fired = count > 0, before.get("state") == FIRING
    about = hashlib.sha256(json.dumps([count, named]).encode()).hexdigest()
    if (fires and fired and before.get("about") == about) or not (fires or fired):
        return
    now = utc_text(int(clock()))
    state_now = FIRING if fires else RESOLVED
    told = {
        "state": state_now,
        "since": before["since"] if fired else now,
        "at": now,
        "day": day,
        "differences": count,
        "named": named,
    }
    about = about if fires else str(before.get("about"))
    turn = int(before.get("turn", 0)) + (fires and not fired)
    record = {
        "kind": TRANSITION,
        "id": alert_id(group.name, BOOKS_DIFFER, day, str(index), state_now, about, str(turn)),
        "group": group.name,
        "server_id": "",
        "alert": BOOKS_DIFFER,
        **told,
    }
    written = [
        Outgoing(TopicPartition(live.alerts_topic, index), b"", _json(record)),
        Outgoing(state, key, _json(told | {"about": about, "turn": turn})),
    ]
    ids = f"{books_group(group.name)}-{index}", books_group(group.name)
    topics = live.alerts_topic, live.state_topic
    with client.open_transactions(config.cluster, *ids, TRANSACTION_SECONDS, topics) as opened:
        opened.write(written, {})


def _last(reader: Reader, tp: TopicPartition, key: bytes) -> dict[str, Any]:
    """Return the last value of a key in a compacted partition; nothing where it has none."""
    found = None
    for _, records in reader.batches({tp: reader.beginning(tp)}, reader.end_offsets([tp])):
        for record in records:
            if record.key == key:
                found = record.value
    content = json.loads(found) if found else {}
    return content if isinstance(content, dict) else {}


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
