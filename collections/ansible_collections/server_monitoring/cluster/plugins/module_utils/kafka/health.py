"""Whether a Kafka cluster stands, and would without one of its brokers: plain values in and out.

Nothing here talks to a broker, so that every decision can be tested without one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .cluster_state import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .cluster_state import Partition, Quorum

NEAR_RECORDS = 10
"""How far the end of a voter's log may be from the high watermark.

An idle leader writes a record each 500 ms (metadata.max.idle.interval.ms), so a voter that lives is
behind by what it is just fetching, and one that does not by two records more each second: after
five seconds it is told, before its session as a broker ends.
"""
PARTITIONS_NAMED = 10
SINGLES_NAMED = 3


@dataclass(frozen=True)
class Expected:
    """Who shall be there: host -> node id of the brokers, and which of them vote, if it matters.

    Those that leave may be away, and what they lack is no problem.
    """

    brokers: Mapping[str, int]
    controllers: Sequence[str]
    leaving: Sequence[str] = ()

    def host(self, node: int) -> str:
        """Return the host of a node id."""
        return next((host for host, n in self.brokers.items() if n == node), f"node {node}")

    def hosts(self, nodes: Iterable[int]) -> str:
        """Return the hosts of node ids as words."""
        return ", ".join(sorted(self.host(node) for node in nodes)) or "none"

    def voters(self) -> set[int]:
        """Return the node ids of those that shall vote."""
        return {self.brokers[host] for host in self.controllers}

    def gone(self) -> set[int]:
        """Return the node ids of those that may be away."""
        return {self.brokers[host] for host in self.leaving}


def declaration_problems(
    brokers: Mapping[str, Any], named: Mapping[str, Sequence[str]]
) -> list[str]:
    """Return what is wrong with the arguments, one line each; empty if they are sound.

    Args:
        brokers: host -> node id.
        named: option -> the hosts that it names, each of which must be a broker.

    """
    problems = []
    if not brokers:
        problems.append("brokers: found none, expected at least one host")
    ids = [str(node) for node in brokers.values()]
    problems += [
        f"brokers: {host}: found {node!r}, expected its node id, a whole number"
        for host, node in brokers.items()
        if not str(node).isdecimal()
    ]
    problems += [
        f"brokers: {host}: found node id {node} twice, expected it once"
        for host, node in brokers.items()
        if ids.count(str(node)) > 1
    ]
    return problems + [
        f"{option}: found {host}, expected one of {', '.join(brokers)}"
        for option, hosts in named.items()
        for host in hosts
        if host not in brokers
    ]


def problems(state: State, expected: Expected, server: str | None = None) -> list[str]:
    """Return why the cluster does not stand, one line each; empty if it does.

    Args:
        state: the cluster.
        expected: who shall be there; others are no problem.
        server: address:port of a broker that must not be fenced, too.

    """
    gone = expected.gone()
    found = [
        _broker_problem(state, expected, host)
        for host, node in expected.brokers.items()
        if node not in gone
    ]
    if server is not None:
        found.append(_server_problem(state, server))
    found += [f"topic {t}: found {e}, expected none" for t, e in sorted(state.troubles.items())]
    found += shortened(
        [
            f"partition {p.name}: found no leader, expected one of {expected.hosts(p.replicas)}"
            if p.leader < 0
            else f"partition {p.name}: found {expected.hosts(p.in_sync)} in sync, "
            f"expected {expected.hosts(p.replicas)}"
            for p in sorted(state.partitions, key=lambda p: p.leader >= 0)
            if p.leader < 0 or not set(p.replicas) - gone <= set(p.in_sync)
        ]
    )
    found += _quorum_problems(state, expected)
    if state.moving:
        found.append(
            f"partitions: found {len(state.moving)} being moved ({_named(state.moving)}), "
            "expected none"
        )
    return [line for line in found if line]


def problems_without(
    state: State, expected: Expected, host: str, *, allow_single: bool
) -> list[str]:
    """Return what the others would not hold without one host; empty if they hold all.

    Args:
        state: the cluster, with min.insync.replicas of each topic.
        expected: who shall be there.
        host: the broker that would be away.
        allow_single: take no offence at what has no second by its own shape, and so goes away
            with its only host: a partition with one replica, a quorum of one voter.

    """
    away = expected.brokers[host]
    found = []
    for partition in state.partitions:
        if away not in partition.replicas or (allow_single and len(partition.replicas) == 1):
            continue
        rest = set(partition.in_sync) - {away}
        # Kafka never asks for more than there are replicas. What is not known is taken to be most.
        most = len(partition.replicas)
        least = max(1, most if partition.least is None else min(partition.least, most))
        if len(rest) < least:
            found.append(
                f"partition {partition.name}: without {host} found {expected.hosts(rest)} in sync, "
                f"expected {least} of {expected.hosts(partition.replicas)}"
            )
    found = shortened(found)
    if state.quorum is not None:
        found += _voters_without(state.quorum, expected, host, allow_single=allow_single)
    return found


def left_behind(state: State, hosts: Mapping[int, str]) -> list[str]:
    """Return what still is of brokers that have left, one line each.

    Args:
        state: the cluster.
        hosts: node id -> host of those that have left.

    """
    found = [
        f"partition {p.name}: found it on {hosts[node]}, expected it on the others alone"
        for p in state.partitions
        for node in p.replicas
        if node in hosts
    ]
    found = shortened(found)
    if state.quorum is None:
        return [*found, "controllers: found no active one, expected it"]
    found += [
        f"controller {hosts[node]}: found that it votes, expected the others alone to do so"
        for node in sorted(state.quorum.voters.keys() & hosts.keys())
    ]
    return found + [
        f"broker {hosts[node]}: found that it takes part, expected it to be stopped: "
        '"systemctl stop kafka" there'
        for node, broker in sorted(state.brokers.items())
        if node in hosts and not broker.fenced
    ]


def single(state: State, host_id: int | None = None) -> list[Partition]:
    """Return the partitions with one replica; with an id those that have it on that broker."""
    return [
        partition
        for partition in state.partitions
        if len(partition.replicas) == 1 and host_id in {None, partition.replicas[0]}
    ]


def shortened(lines: list[str]) -> list[str]:
    """Return the lines of partitions, of which there may be thousands, with the number of more."""
    more = len(lines) - PARTITIONS_NAMED
    return lines[:PARTITIONS_NAMED] + ([f"partitions: {more} more like these"] if more > 0 else [])


def summary(lines: Sequence[str]) -> str:
    """Return one line of all problems: the first, and how many more there are."""
    return lines[0] + (f" (and {len(lines) - 1} more)" if len(lines) > 1 else "")


def facts(state: State | None, expected: Expected, without: str | None = None) -> dict[str, Any]:
    """Return what the module returns beside the problems; all empty without a state."""
    if state is None:
        state = State(brokers={})
    quorum = state.quorum
    alone = single(state, None if without is None else expected.brokers[without])
    known = set(expected.brokers.values())

    def hosts(nodes: Iterable[int]) -> list[str]:
        return sorted(expected.host(node) for node in nodes)

    return {
        "active_controller": expected.host(quorum.leader) if quorum and quorum.leader >= 0 else "",
        "voters": hosts(quorum.voters) if quorum else [],
        "observers": hosts(quorum.observers) if quorum else [],
        "fenced": hosts(n for n, b in state.brokers.items() if b.fenced and n in known),
        "unknown": sorted(state.brokers.keys() - known),
        "under_replicated": sum(set(p.in_sync) != set(p.replicas) for p in state.partitions),
        "moving": None if state.moving is None else len(state.moving),
        "single": {"count": len(alone), "names": [p.name for p in alone[:SINGLES_NAMED]]},
    }


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(names[:PARTITIONS_NAMED])
    return shown + (", ..." if len(names) > PARTITIONS_NAMED else "")


def _broker_problem(state: State, expected: Expected, host: str) -> str:
    node = expected.brokers[host]
    broker = state.brokers.get(node)
    if broker is not None and not broker.fenced:
        return ""
    found = "no such broker in the cluster" if broker is None else "it fenced"
    return (
        f"broker {host} (node {node}): found {found}, expected it to take part: see "
        '"journalctl -u kafka" there'
    )


def _server_problem(state: State, server: str) -> str:
    there = {broker.address: broker.fenced for broker in state.brokers.values()}
    if server not in there:
        return f"broker {server}: found only {', '.join(sorted(there))}, expected it among them"
    return f"broker {server}: found it fenced, expected it to take part" if there[server] else ""


def caught_up(quorum: Quorum) -> set[int]:
    """Return the voters that have what they vote on."""
    least = quorum.high_watermark - NEAR_RECORDS
    # Who has not fetched yet has nothing, also while the log is short.
    return {node for node, end in quorum.voters.items() if end >= max(least, 0)}


def _quorum_problems(state: State, expected: Expected) -> list[str]:
    quorum = state.quorum
    if quorum is None or quorum.leader < 0 or state.moving is None:
        reason = f" ({state.silence})" if state.silence else ""
        most = f"most of {', '.join(expected.controllers or expected.brokers)} must be up"
        return [f"controllers: found no active one{reason}, expected it: {most}"]
    found = []
    if expected.controllers and set(quorum.voters) != expected.voters():
        found.append(
            f"controllers: found the voters {expected.hosts(quorum.voters)}, "
            f"expected {expected.hosts(expected.voters())}"
        )
    return found + [
        f"controller {expected.host(node)}: found its log at "
        f"{end if end >= 0 else 'nothing'}, expected at most {NEAR_RECORDS} records before "
        f"{quorum.high_watermark}"
        for node, end in sorted(quorum.voters.items())
        if node not in caught_up(quorum) | expected.gone()
    ]


def _voters_without(
    quorum: Quorum, expected: Expected, host: str, *, allow_single: bool
) -> list[str]:
    away = expected.brokers[host]
    if away not in quorum.voters or (allow_single and len(quorum.voters) == 1):
        return []
    rest = caught_up(quorum) - {away}
    majority = len(quorum.voters) // 2 + 1
    if len(rest) >= majority:
        return []
    needed = f"{majority} of {expected.hosts(quorum.voters)}"
    return [
        f"controllers: without {host} found {expected.hosts(rest)} caught up, expected {needed}"
    ]
