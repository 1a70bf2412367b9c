"""Ansible module: let the declared controllers vote, and no others (see DOCUMENTATION)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..module_utils.kafka.admin import BrokerError
from ..module_utils.kafka.cluster_watch import Watch
from ..module_utils.kafka.health import declaration_problems
from ..module_utils.kafka.module import CLUSTER, begin, finish, refuse
from ..module_utils.kafka.tools import TOOLS, remove_voter
from ..module_utils.kafka.voters import Step, next_step, surplus

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: kafka_voters
short_description: Let the declared controllers of a Kafka cluster vote, and no others
description:
  - Who shall vote joins by itself (C(controller.quorum.auto.join.enable)) and is waited for; then
    the others are removed one by one, the active controller last. Who is dead is removed first,
    and at once.
  - A controller that lives has to run with C(controller.quorum.auto.join.enable=false) before, or
    it votes again at once. It must not be stopped before, as of two voters both are needed.
  - Nobody is removed unless most of the others are up and caught up.
  - Needs kafka-python 3, and Kafka's own tools.
options:
  brokers:
    description: Host to node id of the brokers, for names.
    type: dict
    required: true
  controllers:
    description: Hosts of O(brokers) that shall vote.
    type: list
    elements: str
    required: true
  keep:
    description: Hosts of O(brokers) that may go on to vote, for now.
    type: list
    elements: str
    default: []
  tools:
    description: Folder with C(kafka-metadata-quorum.sh).
    type: path
    default: /opt/kafka/bin
  timeout:
    description: Seconds to wait until only these vote.
    type: int
    default: 120
extends_documentation_fragment: [server_monitoring.cluster.kafka]
"""

EXAMPLES = r"""
- name: Let one controller vote where three did
  server_monitoring.cluster.kafka_voters:
    bootstrap_servers: ["172.29.0.1:9094", "172.29.0.2:9094", "172.29.0.3:9094"]
    admin_properties: /etc/kafka/admin.properties
    brokers: {kafka-1: 1, kafka-2: 2, kafka-3: 3}
    controllers: [kafka-1]
"""

RETURN = r"""
removed:
  description: Hosts that vote no more, or would not, in the order in which they went.
  type: list
  elements: str
  returned: success
"""

INTERVAL_SECONDS = 0.5
# The others elect an active controller within it.
ELECTION_SECONDS = 20


class Voters:
    """The quorum on its way to those voters that are declared."""

    def __init__(self, module: AnsibleModule, watch: Watch) -> None:
        """Take what is declared."""
        given = module.params
        ids = {host: int(node) for host, node in given["brokers"].items()}
        self._module, self._watch = module, watch
        self._hosts: dict[int, str] = {node: host for host, node in ids.items()}
        self._controllers = {ids[host] for host in given["controllers"]}
        self._keep = {ids[host] for host in given["keep"]}

    def planned(self) -> list[str]:
        """Return who would be removed. Raises BrokerError if there is no active controller."""
        deadline = time.monotonic() + min(ELECTION_SECONDS, self._module.params["timeout"])
        while True:
            try:
                return list(map(self._name, surplus(self._led(), self._controllers | self._keep)))
            except BrokerError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(INTERVAL_SECONDS)

    def _led(self) -> Any:
        quorum = self._watch.look(least=False).quorum
        if quorum is None or quorum.leader < 0:
            message = "controllers: found no active one, expected it: most of them must be up"
            raise BrokerError(message)
        return quorum

    def settle(self) -> list[str]:
        """Remove who is to go, and return them. Raises BrokerError when the time is up."""
        removed: list[str] = []
        deadline = time.monotonic() + self._module.params["timeout"]
        while True:
            try:
                step = self._advance()
            except BrokerError as error:
                # Right after the active controller went there is none, and a tool may meet that.
                step = Step(wait_for=str(error))
            if step == Step():
                return removed
            if step.remove is not None and self._name(step.remove) not in removed:
                removed.append(self._name(step.remove))
            if time.monotonic() > deadline:
                seconds = self._module.params["timeout"]
                message = f"controllers: after {seconds} s: {_waiting(step, self._name)}"
                raise BrokerError(message)
            time.sleep(INTERVAL_SECONDS)

    def _advance(self) -> Step:
        """Remove who goes next; return what was done, or is waited for."""
        quorum = self._watch.look(least=False).quorum
        if quorum is None or quorum.leader < 0:
            return Step(wait_for="an active controller: most of them must be up")
        step = next_step(quorum, self._controllers, self._keep, self._hosts)
        if step.remove is not None:
            remove_voter(self._module, step.remove, quorum.directories[step.remove])
        return step

    def _name(self, node: int) -> str:
        return self._hosts.get(node, f"node {node}")


def _waiting(step: Step, name: Any) -> str:
    if step.remove is None:
        return f"still waiting for {step.wait_for}"
    return (
        f"{name(step.remove)} still votes, or does so again: expected "
        "controller.quorum.auto.join.enable=false there"
    )


def run(module: AnsibleModule, watch: Watch) -> dict[str, Any]:
    """Bring the voters about, or say who would go; return the module's result."""
    voters = Voters(module, watch)
    removed = voters.planned() if module.check_mode else voters.settle()
    said = {"before": {"vote no more": []}, "after": {"vote no more": removed}}
    return {"changed": bool(removed), "removed": removed, "diff": said if removed else {}}


def connect(params: dict[str, Any]) -> Watch:
    """Return the cluster that the arguments name."""
    return Watch(params["bootstrap_servers"], params["admin_properties"])


ARGUMENTS: dict[str, Any] = {
    **CLUSTER,
    **TOOLS,
    "brokers": {"type": "dict", "required": True},
    "controllers": {"type": "list", "elements": "str", "required": True},
    "keep": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "int", "default": 120},
}


def main() -> None:
    """Run the module."""
    module = begin(ARGUMENTS, needed=("bootstrap_servers",))
    named = {option: module.params[option] for option in ("controllers", "keep")}
    refuse(module, "kafka_voters", declaration_problems(module.params["brokers"], named))
    finish(module, connect, run)


if __name__ == "__main__":
    main()
