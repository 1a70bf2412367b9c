"""Ansible module: tell whether a Kafka cluster stands (see DOCUMENTATION)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..module_utils.kafka.admin import BrokerError
from ..module_utils.kafka.cluster_watch import Watch
from ..module_utils.kafka.health import (
    Expected,
    declaration_problems,
    facts,
    problems,
    problems_without,
    summary,
)
from ..module_utils.kafka.module import CLUSTER, begin, finish

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: kafka_health
short_description: Tell whether a Kafka cluster stands, and would without one of its brokers
description:
  - >-
    A cluster stands when each broker is there and not fenced, each partition of every topic has a
    leader and all of its replicas in sync, the expected controllers are the voters, with an active
    one and all caught up, and no replica is being moved.
  - A voter is caught up with at most ten records of the metadata log to go, five idle seconds.
  - >-
    Right after a broker was killed a cluster still looks whole, until the broker's session has
    ended. After a restart give the broker as O(answered_by).
  - Changes nothing. Without O(admin_properties) it speaks to the brokers in plain text.
  - Needs kafka-python 3, unless O(declarations_only=true).
options:
  brokers:
    description: >-
      Host to node id of the brokers that shall be there. Others are returned and are no problem.
    type: dict
    required: true
  controllers:
    description: >-
      Hosts of O(brokers) that shall be the voters, all of them and no others; without it, whoever
      votes is right.
    type: list
    elements: str
    default: []
  leaving:
    description: >-
      Hosts of O(brokers) that may be away, and lack what they like. A partition that only they have
      is a problem when they are.
    type: list
    elements: str
    default: []
  without:
    description: >-
      A host of O(brokers). It is a problem, too, if the others would not hold everything without
      it. Each partition needs min.insync.replicas, or as many as it has if these are fewer, and
      the quorum needs a majority of its voters, caught up.
    type: str
  allow_single:
    description: >-
      With O(without), what has no second by its own shape is no problem although it goes away, so
      that it can be changed at all. That is a partition with one replica, and a quorum of one
      voter; so a cluster of one broker may always go.
    type: bool
    default: true
  answered_by:
    description: >-
      Broker as C(address:port), of the same listener as O(bootstrap_servers), that must itself
      answer there and not be fenced.
    type: str
  report:
    description: Return problems instead of failing.
    type: bool
    default: false
  timeout:
    description: Seconds to wait until there is no problem; 0 looks once.
    type: int
    default: 0
extends_documentation_fragment: [server_monitoring.cluster.kafka]
"""

EXAMPLES = r"""
- name: See whether the cluster can do without a broker
  server_monitoring.cluster.kafka_health:
    bootstrap_servers: ["172.29.0.1:9094", "172.29.0.2:9094", "172.29.0.3:9094"]
    admin_properties: /etc/kafka/admin.properties
    brokers: {kafka-1: 1, kafka-2: 2, kafka-3: 3}
    controllers: [kafka-1, kafka-2, kafka-3]
    without: kafka-2

- name: Wait until a broker that was restarted is in sync again
  server_monitoring.cluster.kafka_health:
    bootstrap_servers: ["172.29.0.1:9094", "172.29.0.2:9094", "172.29.0.3:9094"]
    admin_properties: /etc/kafka/admin.properties
    brokers: {kafka-1: 1, kafka-2: 2, kafka-3: 3}
    controllers: [kafka-1, kafka-2, kafka-3]
    answered_by: 172.29.0.2:9094
    timeout: 120
"""

RETURN = r"""
problems:
  description: A line for each problem; at most ten partitions are named, with the number of others.
  type: list
  elements: str
  returned: always
active_controller:
  description: Host of the active controller; empty without one.
  type: str
  returned: always
voters: {description: Hosts of the controllers that vote., type: list, returned: always}
observers: {description: Hosts that only follow the log., type: list, returned: always}
fenced: {description: Hosts of expected brokers that are fenced., type: list, returned: always}
unknown: {description: Node ids of brokers that were not expected., type: list, returned: always}
under_replicated:
  description: Number of partitions that have not all of their replicas in sync.
  type: int
  returned: always
moving:
  description: Number of partitions whose replicas are being moved; null if it is not known.
  type: int
  returned: always
single:
  description: >-
    Partitions with one replica, as C(count) and up to three C(names); with O(without), those that
    have it there.
  type: dict
  returned: always
"""

INTERVAL_SECONDS = 0.5


def connect(params: dict[str, Any]) -> Watch:
    """Return the cluster that the arguments name; it is asked later, as it may not be up yet."""
    return Watch(params["bootstrap_servers"], params["admin_properties"])


def look(params: dict[str, Any], watch: Watch) -> dict[str, Any]:
    """Return what is found at this moment: the problems and the facts."""
    expected, without = expectation(params), params["without"]
    state, found = None, []
    try:
        if params["answered_by"]:
            watch.answers(params["answered_by"])
        state = watch.look(least=bool(without))
        found = problems(state, expected, params["answered_by"])
        if without:
            found += problems_without(state, expected, without, allow_single=params["allow_single"])
    except BrokerError as error:
        found = [str(error)]
    return {"changed": False, "problems": found, **facts(state, expected, without)}


def run(module: AnsibleModule, watch: Watch) -> dict[str, Any]:
    """Look until there is no problem or the time is up; return the module's result."""
    deadline = time.monotonic() + module.params["timeout"]
    while True:
        found = look(module.params, watch)
        left = deadline - time.monotonic()
        if not found["problems"] or left <= 0:
            break
        time.sleep(min(INTERVAL_SECONDS, left))
    if found["problems"] and not module.params["report"]:
        module.fail_json(msg=f"Kafka: {summary(found['problems'])}", **found)
    return found


def expectation(params: dict[str, Any]) -> Expected:
    """Return who shall be there."""
    brokers = {host: int(node) for host, node in params["brokers"].items()}
    return Expected(brokers, params["controllers"], params["leaving"])


ARGUMENTS: dict[str, Any] = {
    **CLUSTER,
    "brokers": {"type": "dict", "required": True},
    "controllers": {"type": "list", "elements": "str", "default": []},
    "leaving": {"type": "list", "elements": "str", "default": []},
    "without": {"type": "str"},
    "allow_single": {"type": "bool", "default": True},
    "answered_by": {"type": "str"},
    "report": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 0},
}


def main() -> None:
    """Run the module."""
    module = begin(ARGUMENTS, needed=("bootstrap_servers",))
    given = module.params
    named = {option: given[option] for option in ("controllers", "leaving")}
    named["without"] = [given["without"]] if given["without"] else []
    wrong = declaration_problems(given["brokers"], named)
    if wrong:
        module.fail_json(msg=summary(wrong), problems=wrong)
    finish(module, connect, run)


if __name__ == "__main__":
    main()
