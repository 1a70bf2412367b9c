"""Ansible module: lay replicas and leaders as the inventory wants them (see DOCUMENTATION)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..module_utils.kafka import spread_cluster
from ..module_utils.kafka.module import CLUSTER, begin, finish, refuse
from ..module_utils.kafka.spread_plan import (
    Found,
    Plan,
    diff,
    foreign,
    make_plan,
    missing,
    names,
    problems,
    still_to_move,
    throttled,
)
from ..module_utils.kafka.spread_wanted import (
    Wanted,
    declaration_problems,
    read_brokers,
    read_topics,
)

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: kafka_spread
short_description: Lay the replicas and leaders of all partitions as the inventory wants them
description:
  - Each partition of every topic, of Kafka's own too, gets its number of copies, on as many brokers
    and in as many racks as there are; replicas and leaders are even over the brokers. What lies so
    already stays where it is.
  - Moves go on while the task waits, and it shows how far they are. It goes on with moves to the
    same places that it finds under way, and refuses to begin while there are others.
  - What throttles a move is taken away when it is over, also what an earlier one left behind.
  - Needs the app's own Python, with kafka-python 3, unless O(declarations_only=true).
options:
  brokers:
    description: >-
      Who holds replicas; a map of id to rack, or a list of maps with C(id) and C(rack). The rack
      may be empty.
    type: raw
    required: true
  leaving:
    description: Ids of brokers that hold no replica any more in the end. They may be down.
    type: list
    elements: int
    default: []
  replication_factor:
    description: Copies of each partition.
    type: int
    required: true
  topics:
    description: Topic to its number of copies, for those with another one.
    type: dict
    default: {}
  throttle:
    description: >-
      Bytes a second that moves may take of each broker, in and out; without it as many as there
      are. Below what producers write a move has no end.
    type: int
  min_insync_replicas:
    description: >-
      The cluster's C(min.insync.replicas); raised when the copies are there, lowered before they
      go. Without it, it is left as it is.
    type: int
  transactions:
    description: Whether Kafka's own topic of transactions is made first, as that of offsets is.
    type: bool
    default: false
  timeout:
    description: Seconds to wait for a broker's answer, and for a move that does not get on.
    type: int
    default: 60
  targets:
    description: >-
      What an earlier call returned. The move is then only looked at, and finished when it is over;
      the task does so by itself.
    type: dict
extends_documentation_fragment: [server_monitoring.cluster.kafka]
"""

EXAMPLES = r"""
- name: Lay three copies on three brokers
  server_monitoring.cluster.kafka_spread:
    bootstrap_servers: ["172.29.0.1:9094", "172.29.0.2:9094", "172.29.0.3:9094"]
    admin_properties: /etc/kafka/admin.properties
    brokers: {1: rack-a, 2: rack-b, 3: rack-c}
    replication_factor: 3
    min_insync_replicas: 2
    throttle: 20000000
"""

RETURN = r"""
targets:
  description: Topic to partition to the replicas that it gets, of what is moved.
  type: dict
  returned: success
left: {description: Number of partitions that are not there yet., type: int, returned: success}
copied: {description: Bytes that the moves under way have copied., type: int, returned: if known}
left_bytes: {description: Bytes that they are still to copy., type: int, returned: if known}
waits_for: {description: What is still to happen., type: str, returned: success}
over: {description: Whether nothing is., type: bool, returned: success}
"""

# What the lines about declarations begin with.
LABEL = "kafka_spread"


def read(module: AnsibleModule) -> Wanted:
    """Return what is declared, or end the module with the first problem of it."""
    given = module.params
    wanted = Wanted({}, frozenset(), 1, {}, None)
    try:
        wanted = Wanted(
            read_brokers(given["brokers"]),
            frozenset(given["leaving"]),
            given["replication_factor"],
            read_topics(given["topics"]),
            given["min_insync_replicas"],
        )
    except ValueError as error:
        refuse(module, LABEL, [str(error)])
    found = declaration_problems(wanted)
    if given["throttle"] is not None and given["throttle"] < 1:
        found.append(f"throttle: found {given['throttle']}, expected bytes a second from 1 on")
    refuse(module, LABEL, found)
    return wanted


def run(module: AnsibleModule, cluster: spread_cluster.Cluster) -> dict[str, Any]:
    """Begin the move, or see how far it is and finish it, and return the module's result.

    Raises:
        BrokerError: the cluster did not answer, or refused a step.

    """
    wanted, begins = read(module), module.params["targets"] is None
    if begins and not module.check_mode:
        # Later it would lie as Kafka's chance has it, and be moved then.
        cluster.make_offsets_topic()
        if module.params["transactions"]:
            cluster.make_transactions_topic()
    found = cluster.look()
    if begins:
        return _first(module, wanted, found, cluster)
    targets = {
        (topic, int(index)): tuple(replicas)
        for topic, parts in module.params["targets"].items()
        for index, replicas in parts.items()
    }
    refuse(module, LABEL, foreign(targets, found))
    return _next(Plan(targets, []), wanted, found, cluster)


def _first(
    module: AnsibleModule, wanted: Wanted, found: Found, cluster: spread_cluster.Cluster
) -> dict[str, Any]:
    refuse(module, LABEL, problems(wanted, found))
    plan = make_plan(wanted, found)
    refuse(module, LABEL, plan.foreign)
    before, after = diff(plan, wanted, found)
    result = {"changed": before != after, "diff": {"before": before, "after": after}}
    if module.check_mode:
        return result | _state(plan, [], "", over=before == after)
    least = wanted.min_insync
    if least and max(found.min_insync) > least:
        cluster.set_min_insync(least)
        cluster.settle(lambda now: now.min_insync == {least})
        found.min_insync = frozenset({least})
    if not plan.targets:
        return _next(plan, wanted, found, cluster) | result
    if module.params["throttle"] is not None:
        cluster.throttle(module.params["throttle"], found.up, throttled(plan.targets, found))
    else:
        cluster.unthrottle(found)
    cluster.begin({p: to for p, to in plan.targets.items() if p not in found.moving})
    left = sorted(plan.targets)
    return result | _state(plan, left, missing(plan.targets, left, found), over=False)


def _next(
    plan: Plan, wanted: Wanted, found: Found, cluster: spread_cluster.Cluster
) -> dict[str, Any]:
    """Return how far the move is; where it is over, do what comes after it."""
    left = still_to_move(plan.targets, found)
    if not left:
        return _end(plan, wanted, found, cluster)
    still = missing(plan.targets, left, found)
    told = cluster.bytes_left(left, found)
    sizes = dict(zip(("copied", "left_bytes"), told, strict=True)) if told else {}
    return {"changed": False} | _state(plan, left, still, over=False) | sizes


def _end(
    plan: Plan, wanted: Wanted, found: Found, cluster: spread_cluster.Cluster
) -> dict[str, Any]:
    """Take the throttles away, ask for copies in sync, and let the first replicas lead."""
    waits = []
    was_throttled = bool(found.throttled_topics or found.throttled_brokers)
    if was_throttled:
        cluster.unthrottle(found)
    least = found.min_insync
    if wanted.min_insync and least != {wanted.min_insync}:
        if behind := found.short_of(wanted.min_insync):
            waits.append(f"in-sync copies of {names(behind)}")
        else:
            cluster.set_min_insync(wanted.min_insync)
            least = frozenset({wanted.min_insync})
    away = found.not_led_by_first()
    not_yet = cluster.elect_first(away) if away else []
    if not_yet:
        waits.append(f"the first replica of {names(not_yet)} to lead")
    changed = was_throttled or least != found.min_insync or bool(away)
    if changed:
        cluster.settle(
            lambda now: (
                now.min_insync == least
                and not (now.throttled_topics or now.throttled_brokers)
                and set(now.not_led_by_first()) <= set(not_yet)
            )
        )
    return {"changed": changed} | _state(plan, [], "; ".join(waits), over=not waits)


def _state(plan: Plan, left: list[Any], waits_for: str, *, over: bool) -> dict[str, Any]:
    targets: dict[str, dict[str, list[int]]] = {}
    for (topic, index), replicas in plan.targets.items():
        targets.setdefault(topic, {})[str(index)] = list(replicas)
    return {"targets": targets, "left": len(left), "waits_for": waits_for, "over": over}


def connect(params: dict[str, Any]) -> spread_cluster.Cluster:
    """Return the cluster that the arguments name."""
    return spread_cluster.Cluster(
        params["bootstrap_servers"], params["admin_properties"], params["timeout"]
    )


ARGUMENTS: dict[str, Any] = {
    **CLUSTER,
    "brokers": {"type": "raw", "required": True},
    "leaving": {"type": "list", "elements": "int", "default": []},
    "replication_factor": {"type": "int", "required": True},
    "topics": {"type": "dict", "default": {}},
    "throttle": {"type": "int"},
    "min_insync_replicas": {"type": "int"},
    "transactions": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 60},
    "targets": {"type": "dict"},
}


def main() -> None:
    """Run the module."""
    module = begin(ARGUMENTS, needed=("bootstrap_servers",))
    if module.params["declarations_only"]:
        read(module)
    finish(module, connect, run)


if __name__ == "__main__":
    main()
