"""Who of a Kafka quorum's voters shall go, and when: plain values in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .health import caught_up

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from .cluster_state import Quorum


class Step(NamedTuple):
    """What comes next: a voter that goes now, or what has to be waited for; neither at the end."""

    remove: int | None = None
    wait_for: str = ""


def surplus(quorum: Quorum, stay: Collection[int]) -> list[int]:
    """Return the voters that are none of `stay`, in the order in which they go.

    Whoever is dead first, as the others then agree more easily; the active controller last.
    """
    alive = caught_up(quorum)
    return sorted(
        quorum.voters.keys() - set(stay),
        key=lambda node: (node == quorum.leader, node in alive, node),
    )


def next_step(
    quorum: Quorum, controllers: Collection[int], keep: Collection[int], hosts: Mapping[int, str]
) -> Step:
    """Return the next step on the way to the voters that are wanted.

    Args:
        quorum: as it is, with its active controller.
        controllers: who shall vote. Before one that lives goes, all of these do.
        keep: who may go on to vote.
        hosts: node id -> host, for words.

    """
    going = surplus(quorum, {*controllers, *keep})
    if not going:
        return Step()
    alive = caught_up(quorum)
    late = [hosts.get(node, f"node {node}") for node in sorted(set(controllers) - alive)]
    if going[0] in alive and late:
        return Step(wait_for=f"{', '.join(late)} to vote")
    rest = quorum.voters.keys() - {going[0]}
    if len(rest & alive) <= len(rest) // 2:
        names = ", ".join(sorted(hosts.get(node, f"node {node}") for node in rest))
        return Step(wait_for=f"most of {names or 'the other controllers'} to be up")
    return Step(remove=going[0])
