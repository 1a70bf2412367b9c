"""Ansible module: make the declared Kafka topics true (see DOCUMENTATION)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..module_utils.kafka.admin import BrokerError, administrate
from ..module_utils.kafka.module import CLUSTER, begin, finish, refuse
from ..module_utils.kafka.topic_plan import (
    Plan,
    Topic,
    declaration_problems,
    diff,
    group_problems,
    make_plan,
    parse,
)

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

try:
    from kafka import errors
    from kafka.admin import AlterConfigOp, ConfigResource
except ImportError:
    # A check of the declarations needs no client; everything else says that it is missing.
    errors = None

DOCUMENTATION = r"""
module: kafka_topic
short_description: Make the declared Kafka topics true
description:
  - Without O(admin_properties) it speaks to the brokers in plain text.
  - Creates topics, adds partitions, sets the declared settings and drops the undeclared.
  - Takes all topics in one call, plans first, and changes none of them if any is refused.
  - Shrinking a topic is refused. How many copies a topic has once it is there, and where they
    lie, is for M(kafka_spread).
  - A topic that is not declared is left alone.
  - Needs the app's own Python, with kafka-python 3, unless O(declarations_only=true).
options:
  topics:
    description: >-
      Maps with C(name), C(partitions) and, if wanted, C(replication_factor) (else the broker's
      default, as with -1) and C(configs).
    type: list
    elements: raw
    required: true
  groups:
    description: Metric group to the list of its topics, which need equal numbers of partitions.
    type: dict
    default: {}
  brokers:
    description: Number of brokers in the inventory; used with O(declarations_only=true).
    type: int
    default: 1
  running:
    description: Active units of a run, as C(host unit); they forbid that a topic grows.
    type: list
    elements: str
    default: []
extends_documentation_fragment: [server_monitoring.cluster.kafka]
"""

EXAMPLES = r"""
- name: Make the topics true
  server_monitoring.cluster.kafka_topic:
    bootstrap_servers: ["172.29.0.1:9094"]
    admin_properties: /etc/kafka/admin.properties
    topics:
      - {name: topic-cpu, partitions: 3, replication_factor: 1, configs: {retention.ms: 86400000}}
"""

RETURN = r"""
created: {description: Names of created topics., type: list, returned: success}
grown: {description: Topic to its new number of partitions., type: dict, returned: success}
configured: {description: Names of topics whose settings changed., type: list, returned: success}
"""

# The inventory's variable that holds the declarations.
VARIABLE = "kafka_topics_declared"


class Cluster:
    """The topics of a running cluster, read and changed through kafka-python's admin client."""

    def __init__(self, servers: list[str], properties: str | None, timeout: int) -> None:
        """Connect.

        Args:
            servers: as address:port.
            properties: see `administrate`.
            timeout: seconds to wait for a broker.

        Raises:
            BrokerError: no broker answers in time, or there is no client.

        """
        self._admin = administrate(servers, properties, timeout)

    def close(self) -> None:
        """End the connection."""
        self._admin.close()

    def brokers(self) -> int:
        """Return the number of brokers that are up."""
        return sum(not b.get("is_fenced") for b in self._admin.describe_cluster()["brokers"])

    def topics(self, names: set[str]) -> dict[str, Topic]:
        """Return all topics; those in `names` with the settings that are their own."""
        described = {t["name"]: t for t in self._admin.describe_topics() if t["error_code"] == 0}
        present = sorted(names & described.keys())
        resources = [ConfigResource("TOPIC", name) for name in present]
        settings = self._admin.describe_configs(resources)["topic"] if resources else {}
        return {
            name: Topic(
                name=name,
                partitions=len(topic["partitions"]),
                replication_factor=max(len(p["replica_nodes"]) for p in topic["partitions"]),
                configs={
                    key: str(config["value"])
                    for key, config in settings.get(name, {}).items()
                    if config["config_source"] == "DYNAMIC_TOPIC_CONFIG"
                },
            )
            for name, topic in described.items()
        }

    def apply(self, plan: Plan, *, validate_only: bool) -> None:
        """Carry out a plan, or let the broker say whether it would accept it.

        Raises:
            BrokerError: naming the topic and the broker's reason.

        """
        if plan.create:
            self._check(
                self._admin.create_topics(
                    {
                        t.name: {
                            "num_partitions": t.partitions,
                            "replication_factor": t.replication_factor,
                            "configs": dict(t.configs),
                        }
                        for t in plan.create
                    },
                    validate_only=validate_only,
                    raise_errors=False,
                )["topics"]
            )
        if plan.grow:
            response = self._admin.create_partitions(
                plan.grow, validate_only=validate_only, raise_errors=False
            )
            self._check(response.to_dict()["results"])
        self._alter(plan, validate_only=validate_only)
        if not validate_only:
            self._admin.wait_for_topics([*(t.name for t in plan.create), *plan.grow])

    def _alter(self, plan: Plan, *, validate_only: bool) -> None:
        resources = []
        for name in sorted({*plan.set_configs, *plan.drop_configs}):
            changes: dict[str, Any] = {
                key: (AlterConfigOp.SET, value)
                for key, value in plan.set_configs.get(name, {}).items()
            }
            for key in plan.drop_configs.get(name, []):
                changes[key] = (AlterConfigOp.DELETE, None)
            resources.append(ConfigResource("TOPIC", name, changes))
        if not resources:
            return
        # Unknown settings are the broker's to refuse: its answer names the topic.
        answers = self._admin.alter_configs(
            resources, validate_only=validate_only, raise_on_unknown=False
        )
        for name, answer in answers["topic"].items():
            if answer != "OK":
                message = f"topic {name}: configs: refused by the broker: {answer}"
                raise BrokerError(message)

    @staticmethod
    def _check(results: list[dict[str, Any]]) -> None:
        for result in results:
            if result["error_code"]:
                kind = errors.for_code(result["error_code"]).__name__
                reason = result.get("error_message") or kind
                message = f"topic {result['name']}: refused by the broker: {reason}"
                raise BrokerError(message)


def check_declarations(module: AnsibleModule, brokers: int) -> None:
    """End the module with the first problem of the declarations, if there is one."""
    problems = declaration_problems(module.params["topics"], brokers)
    if not problems:
        counts = {t.name: t.partitions for t in parse(module.params["topics"])}
        problems = group_problems(counts, module.params["groups"])
    refuse(module, VARIABLE, problems)


def run(module: AnsibleModule, cluster: Cluster) -> dict[str, Any]:
    """Plan, let the broker check the plan, then carry it out unless this is check mode.

    Raises:
        BrokerError: the broker refused a step.

    """
    check_declarations(module, cluster.brokers())
    declared = parse(module.params["topics"])
    existing = cluster.topics({topic.name for topic in declared})
    plan = make_plan(declared, existing, module.params["groups"], module.params["running"])
    refuse(module, VARIABLE, plan.refusals)
    if plan.changed:
        cluster.apply(plan, validate_only=True)
        if not module.check_mode:
            cluster.apply(plan, validate_only=False)
    before, after = diff(plan, existing)
    return {
        "changed": plan.changed,
        "created": [topic.name for topic in plan.create],
        "grown": plan.grow,
        "configured": sorted({*plan.set_configs, *plan.drop_configs}),
        "diff": {"before": before, "after": after},
    }


def connect(params: dict[str, Any]) -> Cluster:
    """Return the cluster that the arguments name."""
    return Cluster(params["bootstrap_servers"], params["admin_properties"], params["timeout"])


ARGUMENTS: dict[str, Any] = {
    **CLUSTER,
    "topics": {"type": "list", "elements": "raw", "required": True},
    "groups": {"type": "dict", "default": {}},
    "brokers": {"type": "int", "default": 1},
    "running": {"type": "list", "elements": "str", "default": []},
}


def main() -> None:
    """Run the module."""
    module = begin(ARGUMENTS, needed=("bootstrap_servers",))
    if module.params["declarations_only"]:
        check_declarations(module, module.params["brokers"])
    finish(module, connect, run)


if __name__ == "__main__":
    main()
