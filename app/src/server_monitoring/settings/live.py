"""The section `live` of a configuration: what detection of live rows goes by."""

from dataclasses import dataclass
from decimal import Decimal

from server_monitoring.model.groups import Group
from server_monitoring.model.values import check_server_id
from server_monitoring.settings.groups import TOPIC_NAME, TOPIC_PATTERN
from server_monitoring.settings.strict import Node

_MOST_WINDOWS = 10_000
_MOST_SECONDS = 86_400
# A century: of rows that are replayed, too.
_MOST_HOURS = 876_600
KEYS = (
    "for_windows",
    "clear_windows",
    "lateness_seconds",
    "future_seconds",
    "late_hours",
    "silence_seconds",
    "thresholds",
    "alerts_topic",
    "state_topic",
)
OPTIONAL = ("servers", "signed")


@dataclass(frozen=True)
class Live:
    """What detection goes by, beside windows, labels and general thresholds.

    Attributes:
        for_windows, clear_windows: windows in a row with a label before its alert fires, and
            without it before it is resolved.
        lateness_seconds: how far out of order a server's rows may be; 0 for those of agents.
        future_seconds: rows further ahead of their arrival raise no alert.
        late_hours: rows that are older when they arrive raise no alert.
        silence_seconds: a server of which no row came for longer has no data.
        thresholds: by server id, or a pattern of ids, by column; the first that fits counts.
        alerts_topic, state_topic: where alerts and their states are written.
        servers: those that are watched; empty: whichever sends.
        signed: whether only rows count that their server has signed.

    """

    for_windows: int
    clear_windows: int
    lateness_seconds: int
    future_seconds: int
    late_hours: int
    silence_seconds: int
    thresholds: dict[str, dict[str, Decimal]]
    alerts_topic: str
    state_topic: str
    servers: tuple[str, ...] = ()
    signed: bool = False


def read_live(node: Node, groups: dict[str, Group]) -> Live:
    """Return the section; its topics are none of the groups'."""
    keys = node.fields(KEYS, OPTIONAL)
    metrics = [metric for group in groups.values() for metric in group.metrics]
    taken = {metric.topic for metric in metrics}
    topics = []
    for name in ("alerts_topic", "state_topic"):
        topics.append(keys[name].text(TOPIC_NAME, TOPIC_PATTERN))
        if topics[-1] in taken:
            raise keys[name].fail("a topic of its own")
        taken.add(topics[-1])
    return Live(
        for_windows=keys["for_windows"].integer(1, _MOST_WINDOWS),
        clear_windows=keys["clear_windows"].integer(1, _MOST_WINDOWS),
        lateness_seconds=keys["lateness_seconds"].integer(0, _MOST_SECONDS),
        future_seconds=keys["future_seconds"].integer(1, _MOST_SECONDS),
        late_hours=keys["late_hours"].integer(1, _MOST_HOURS),
        silence_seconds=keys["silence_seconds"].integer(1, _MOST_SECONDS),
        thresholds=_thresholds(keys["thresholds"], {metric.column for metric in metrics}),
        alerts_topic=topics[0],
        state_topic=topics[1],
        servers=_servers(keys["servers"]) if "servers" in keys else (),
        signed="signed" in keys and keys["signed"].truth(),
    )


def _servers(node: Node) -> tuple[str, ...]:
    found = []
    for item in node.items("a list of server ids"):
        server_id = item.text("a server id as text", bool)
        try:
            check_server_id(server_id)
        except ValueError as error:
            raise item.fail(str(error)) from error
        found.append(server_id)
    return tuple(found)


def _thresholds(node: Node, columns: set[str]) -> dict[str, dict[str, Decimal]]:
    return {
        pattern: {name: n.decimal() for name, n in child.fields((), sorted(columns)).items()}
        for pattern, child in node.children("a mapping of server ids to thresholds").items()
    }
