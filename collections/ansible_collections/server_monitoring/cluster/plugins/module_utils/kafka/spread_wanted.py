"""Who shall hold replicas, and how many there shall be: read from a declaration, and judged."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Wanted(NamedTuple):
    """What is declared.

    Attributes:
        brokers: id -> rack ("" for none) of who holds replicas.
        leaving: ids of brokers that hold none in the end.
        copies: of each partition; `topics` names those that have another number.
        min_insync: the cluster's min.insync.replicas, None to leave it.

    """

    brokers: Mapping[int, str]
    leaving: frozenset[int]
    copies: int
    topics: Mapping[str, int]
    min_insync: int | None

    def copies_of(self, topic: str) -> int:
        """Return how many copies each partition of a topic has."""
        return self.topics.get(topic, self.copies)


def ids(brokers: Iterable[int]) -> str:
    """Return ids as Kafka's tools write them: 1,2,3."""
    return ",".join(map(str, brokers))


def read_brokers(value: object) -> dict[int, str]:
    """Return id -> rack of the option `brokers`, a map or a list of maps with id and rack.

    Raises:
        ValueError: it is neither; the message is one line.

    """
    expected = "expected a map of id to rack, or a list of maps with id and, if wanted, rack"
    try:
        if isinstance(value, dict):
            entries = [(int(key), rack) for key, rack in value.items()]
        elif isinstance(value, list):
            entries = [(int(entry["id"]), entry.get("rack")) for entry in value]
        else:
            entries = []
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        message = f"brokers: found {value!r}, {expected}"
        raise ValueError(message) from error
    if not entries or any(not isinstance(rack, str | None) for _, rack in entries):
        message = f"brokers: found {value!r}, {expected}"
        raise ValueError(message)
    twice = [broker for broker, count in Counter(b for b, _ in entries).items() if count > 1]
    if twice:
        message = f"brokers: found {twice[0]} twice, expected every id once"
        raise ValueError(message)
    return {broker: rack or "" for broker, rack in entries}


def read_topics(value: Mapping[str, Any]) -> dict[str, int]:
    """Return topic -> copies. Raises ValueError, in one line, for what is no number."""
    found = {}
    for topic, copies in value.items():
        if isinstance(copies, bool) or not str(copies).isdecimal():
            message = f"topics: {topic}: found {copies!r}, expected a number of copies from 1 on"
            raise ValueError(message)
        found[topic] = int(copies)
    return found


def declaration_problems(wanted: Wanted) -> list[str]:
    """Return what is wrong with the declaration, one line each; empty if it is sound."""
    both = sorted(wanted.leaving & wanted.brokers.keys())
    problems = [f"leaving: found {ids(both)} in brokers too, expected it in one of them"] * bool(
        both
    )
    most = len(wanted.brokers)
    counts = {"replication_factor": wanted.copies}
    counts.update({f"topics: {topic}": copies for topic, copies in sorted(wanted.topics.items())})
    problems += [
        f"{label}: found {copies} copies, expected 1 to {most}, the number of brokers "
        f"that hold replicas ({ids(sorted(wanted.brokers))})"
        for label, copies in counts.items()
        if not 1 <= copies <= most
    ]
    least = wanted.min_insync
    if least is not None and not 1 <= least <= wanted.copies:
        problems.append(
            f"min_insync_replicas: found {least}, expected 1 to {wanted.copies}, the copies"
        )
    return problems
