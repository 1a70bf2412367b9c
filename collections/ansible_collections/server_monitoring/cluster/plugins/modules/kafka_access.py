"""Ansible module: make the declared Kafka users and ACLs true (see DOCUMENTATION)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..module_utils.kafka import access_cluster, quota_plan
from ..module_utils.kafka.access_plan import RETIRED, declaration_problems, diff, make_plan, parse
from ..module_utils.kafka.admin import BrokerError
from ..module_utils.kafka.module import CLUSTER, begin, finish, refuse

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: kafka_access
short_description: Make the declared Kafka users, ACLs and quotas true
description:
  - Creates SCRAM-SHA-512 users, sets passwords that do not let in, creates and deletes ACLs.
  - Removes the ACLs of everybody who is not declared, but not O(super_users), and retires their
    credentials by passwords that nobody knows and C(16384) rounds.
  - Finds out by a login whether a password is right; the broker gets salted passwords alone.
  - Makes quotas true where O(quotas) or O(connection_rates) are given, and removes all others.
  - Adds before it removes, and ends when the brokers answer as declared.
  - Needs the app's own Python, with kafka-python 3, unless O(declarations_only=true).
options:
  users:
    description: >-
      Maps with C(name) and C(acls), each of these with C(resource) (topic, group, cluster,
      transactional_id), C(name), C(pattern) (literal, the default, or prefixed) and C(operations).
    type: list
    elements: raw
    required: true
  passwords:
    description: >-
      User to password. A user of O(users) without one is refused; with O(declarations_only=true)
      the whole map may be missing.
    type: dict
  quotas:
    description: >-
      User to a map with some of C(producer_byte_rate), C(consumer_byte_rate) (bytes a second) and
      C(request_percentage) (of one thread); each broker counts for itself.
    type: dict
  connection_rates:
    description: >-
      Address to the connections a second that it may open, over some ten seconds; C(default) is
      every address that is not named.
    type: dict
  super_users:
    description: Users that are left alone, as the brokers are.
    type: list
    elements: str
    default: []
  client_servers:
    description: Brokers, as C(address:port) of the listener that users log in to.
    type: list
    elements: str
  iterations:
    description: Rounds of hashing. A user that has another number gets its password again.
    type: int
    default: 4096
extends_documentation_fragment: [server_monitoring.cluster.kafka]
"""

EXAMPLES = r"""
- name: Make users and ACLs true
  server_monitoring.cluster.kafka_access:
    bootstrap_servers: ["172.29.0.1:9094"]
    client_servers: ["172.29.0.1:9092"]
    admin_properties: /etc/kafka/admin.properties
    super_users: [kafka-1]
    users:
      - name: producer
        acls: [{resource: topic, name: topic-cpu, operations: [read, write]}]
    passwords: {producer: "{{ producer_password }}"}
    quotas: {producer: {producer_byte_rate: 67108864}}
    connection_rates: {default: 20}
"""

RETURN = r"""
passwords_set: {description: Users whose password was set., type: list, returned: success}
credentials_retired: {description: User to its mechanisms., type: dict, returned: success}
acls_created: {description: Number of new ACLs., type: int, returned: success}
acls_deleted: {description: Number of removed ACLs., type: int, returned: success}
quotas_altered: {description: Whose quotas changed., type: list, returned: success}
"""

# Kafka's own limit.
LEAST_ITERATIONS = 4096


def check_declarations(module: AnsibleModule) -> None:
    """End the module with the first problem of the declarations, if there is one."""
    passwords = module.params["passwords"]
    if passwords is None and not module.params["declarations_only"]:
        passwords = {}
    users = module.params["users"]
    problems = declaration_problems(users, module.params["super_users"], passwords)
    problems = problems or quota_plan.declaration_problems(
        module.params["quotas"] or {},
        module.params["connection_rates"] or {},
        [user["name"] for user in users],
    )
    refuse(module, "kafka_access_users", problems)


def run(module: AnsibleModule, cluster: access_cluster.Cluster) -> dict[str, Any]:
    """Plan, and carry the plan out unless this is check mode.

    Raises:
        BrokerError: the broker refused a step, or does not answer as declared afterwards.

    """
    declared = parse(module.params["users"])
    passwords = {user: module.params["passwords"][user] for user in declared}
    iterations = module.params["iterations"]
    super_users = module.params["super_users"]
    quotas = wanted_quotas(module.params)
    found = cluster.state(passwords, iterations)
    plan = make_plan(declared, found, super_users, iterations, quotas)
    if plan.changed and not module.check_mode:
        cluster.apply(plan, passwords, iterations)
        # A broker takes a change over from the controller, a moment after that has answered.
        deadline = time.monotonic() + module.params["timeout"]
        while make_plan(
            declared, cluster.state(passwords, iterations), super_users, iterations, quotas
        ).changed:
            if time.monotonic() > deadline:
                message = (
                    f"the brokers do not answer as declared {module.params['timeout']} s after the "
                    "change: run this again, and see whether something else changes users and ACLs"
                )
                raise BrokerError(message)
            time.sleep(0.2)
    before, after = diff(plan, found)
    return {
        "changed": plan.changed,
        "passwords_set": plan.set_passwords,
        "credentials_retired": plan.retire_credentials,
        "acls_created": len(plan.create_acls),
        "acls_deleted": len(plan.delete_acls),
        "quotas_altered": [quota_plan.label(entity) for entity in plan.alter_quotas],
        "diff": {"before": before, "after": after},
    }


def wanted_quotas(params: dict[str, Any]) -> Any:
    """Return the declared quotas; None where they are not to be touched."""
    if params["quotas"] is None and params["connection_rates"] is None:
        return None
    return quota_plan.parse(params["quotas"] or {}, params["connection_rates"] or {})


def connect(params: dict[str, Any]) -> access_cluster.Cluster:
    """Return the cluster that the arguments name."""
    names = ("bootstrap_servers", "client_servers", "admin_properties", "timeout")
    return access_cluster.Cluster(*(params[name] for name in names))


ARGUMENTS: dict[str, Any] = {
    **CLUSTER,
    "users": {"type": "list", "elements": "raw", "required": True},
    "passwords": {"type": "dict", "no_log": True},
    "quotas": {"type": "dict"},
    "connection_rates": {"type": "dict"},
    "super_users": {"type": "list", "elements": "str", "default": []},
    "client_servers": {"type": "list", "elements": "str"},
    "iterations": {"type": "int", "default": 4096},
}


def main() -> None:
    """Run the module."""
    module = begin(ARGUMENTS, needed=("bootstrap_servers", "client_servers", "admin_properties"))
    check_declarations(module)
    if not LEAST_ITERATIONS <= module.params["iterations"] < RETIRED:
        found = module.params["iterations"]
        module.fail_json(
            msg=f"iterations: found {found}, expected {LEAST_ITERATIONS} to {RETIRED - 1}"
        )
    finish(module, connect, run)


if __name__ == "__main__":
    main()
