"""What each user of the brokers needs, and nothing more.

A test holds every line against a broker that denies what is not allowed: with all of them each
command works, and without any one of them it is refused. Names in braces are the pipeline's own.
"""

from typing import NamedTuple

TOPIC, GROUP, CLUSTER = "TOPIC", "GROUP", "CLUSTER"
LITERAL = "LITERAL"
PROBE_TOPIC = "server-monitoring-probe"


class Access(NamedTuple):
    """What a user may do with a resource.

    Attributes:
        kind: of the resource: TOPIC, GROUP or CLUSTER.
        name: of the resource; `{topics}` stands for each topic of the user's metric groups.
        operations: as Kafka names them; Read and Write bring Describe with them.
        pattern: LITERAL or PREFIXED.

    """

    kind: str
    name: str
    operations: tuple[str, ...]
    pattern: str = LITERAL


# `probe` as any user: writes a record and reads it back. Provisioning makes the topic.
PROBE = (Access(TOPIC, PROBE_TOPIC, ("WRITE", "READ")),)
# `probe` with a configuration looks for the topics of all groups.
PROBE_TOPICS = (Access(TOPIC, "{all_topics}", ("DESCRIBE",)),)

# `produce`: Read, as a start after a crash looks for what is there. Idempotent without
# IdempotentWrite on the cluster: Write on any topic brings it (KIP-679).
PRODUCER = (Access(TOPIC, "{all_topics}", ("WRITE", "READ")),)


def consumer(group: str) -> tuple[Access, ...]:
    """Return what `consume --group GROUP` needs: its topics, and its own consumer group."""
    return (
        Access(TOPIC, "{topics}", ("READ",)),
        Access(GROUP, f"server-monitoring-{group}", ("READ",)),
    )


def users(groups: dict[str, list[str]]) -> dict[str, list[Access]]:
    """Return each user's access, with names filled in.

    Args:
        groups: the topics of each metric group.

    """
    everything = [topic for topics in groups.values() for topic in topics]
    found = {"producer": _filled(PRODUCER + PROBE, everything, everything)}
    for group, topics in groups.items():
        access = consumer(group) + PROBE + PROBE_TOPICS
        found[f"consumer_{group}"] = _filled(access, topics, everything)
    return found


def _filled(access: tuple[Access, ...], topics: list[str], everything: list[str]) -> list[Access]:
    names = {"{topics}": topics, "{all_topics}": everything}
    return [
        line._replace(name=name) for line in access for name in names.get(line.name, [line.name])
    ]
