"""Ansible module: let a Kafka cluster forget brokers that have left (see DOCUMENTATION)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..module_utils.kafka.cluster_watch import Watch
from ..module_utils.kafka.health import declaration_problems, left_behind
from ..module_utils.kafka.module import CLUSTER, begin, finish, refuse
from ..module_utils.kafka.tools import TOOLS, unregister

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: kafka_unregister
short_description: Let a Kafka cluster forget brokers that have left
description:
  - A broker has left when no replica is on it, it does not vote, and it was stopped; its session is
    waited for. What is missing is told.
  - Needs kafka-python 3, and Kafka's own tools.
options:
  brokers:
    description: Host to node id of those that have left. Who is not registered is no problem.
    type: dict
    required: true
  tools:
    description: Folder with C(kafka-cluster.sh).
    type: path
    default: /opt/kafka/bin
  timeout:
    description: Seconds to wait until their sessions have ended, and until they are forgotten.
    type: int
    default: 30
extends_documentation_fragment: [server_monitoring.cluster.kafka]
"""

EXAMPLES = r"""
- name: Forget a broker
  server_monitoring.cluster.kafka_unregister:
    bootstrap_servers: ["172.29.0.1:9094", "172.29.0.2:9094"]
    admin_properties: /etc/kafka/admin.properties
    brokers: {kafka-3: 3}
"""

RETURN = r"""
unregistered:
  description: Hosts that were registered and are no more, or would not be.
  type: list
  elements: str
  returned: success
"""

INTERVAL_SECONDS = 0.5


def run(module: AnsibleModule, watch: Watch) -> dict[str, Any]:
    """Unregister who has left; return the module's result.

    Raises:
        BrokerError: the cluster does not answer, or refuses.

    """
    hosts = {int(node): host for host, node in module.params["brokers"].items()}
    state = watch.look(least=False)
    going = sorted(state.brokers.keys() & hosts.keys())
    names = [hosts[node] for node in going]
    said = {"before": {"registered": names}, "after": {"registered": []}} if going else {}
    result = {"changed": bool(going), "unregistered": names, "diff": said}
    if module.check_mode:
        return result
    deadline = time.monotonic() + module.params["timeout"]
    while found := left_behind(state, hosts):
        if not going or time.monotonic() > deadline:
            refuse(module, "Kafka", found)
        time.sleep(INTERVAL_SECONDS)
        state = watch.look(least=False)
    for node in going:
        unregister(module, node)
    while watch.look(least=False).brokers.keys() & set(going):
        if time.monotonic() > deadline:
            found = [f"broker {', '.join(names)}: found it registered again, expected it stopped"]
            refuse(module, "Kafka", found)
        time.sleep(INTERVAL_SECONDS)
    return result


def connect(params: dict[str, Any]) -> Watch:
    """Return the cluster that the arguments name."""
    return Watch(params["bootstrap_servers"], params["admin_properties"])


ARGUMENTS: dict[str, Any] = {
    **CLUSTER,
    **TOOLS,
    "brokers": {"type": "dict", "required": True},
    "timeout": {"type": "int", "default": 30},
}


def main() -> None:
    """Run the module."""
    module = begin(ARGUMENTS, needed=("bootstrap_servers",))
    refuse(module, "kafka_unregister", declaration_problems(module.params["brokers"], {}))
    finish(module, connect, run)


if __name__ == "__main__":
    main()
