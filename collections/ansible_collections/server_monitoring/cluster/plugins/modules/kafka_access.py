"""Ansible module: make the declared Kafka users and ACLs true (see DOCUMENTATION)."""

from __future__ import annotations

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.server_monitoring.cluster.plugins.module_utils.kafka import access_cluster
from ansible_collections.server_monitoring.cluster.plugins.module_utils.kafka.access_plan import (
    RETIRED,
    declaration_problems,
    diff,
    make_plan,
    parse,
)
from ansible_collections.server_monitoring.cluster.plugins.module_utils.kafka.admin import (
    BrokerError,
)

DOCUMENTATION = r"""
module: kafka_access
short_description: Make the declared Kafka users and ACLs true
description:
  - Creates SCRAM-SHA-512 users, sets passwords that do not let in, creates and deletes ACLs.
  - Removes the ACLs of everybody who is not declared, but not O(super_users), and retires their
    credentials by passwords that nobody knows and C(16384) rounds.
  - Finds out by a login whether a password is right; the broker gets salted passwords alone.
  - Adds before it removes, and ends when the brokers answer as declared.
  - Needs kafka-python 3, unless O(declarations_only=true).
options:
  users:
    description: >-
      Maps with C(name) and C(acls), each of these with C(resource) (topic, group, cluster,
      transactional_id), C(name), C(pattern) (literal, the default, or prefixed) and C(operations).
    type: list
    elements: raw
    required: true
  passwords:
    description: User to password. A user of O(users) without one is refused.
    type: dict
  super_users:
    description: Users that are left alone, as the brokers are.
    type: list
    elements: str
    default: []
  bootstrap_servers:
    description: Brokers, as C(address:port) of the listener with mutual TLS.
    type: list
    elements: str
  client_servers:
    description: Brokers, as C(address:port) of the listener that users log in to.
    type: list
    elements: str
  admin_properties:
    description: >-
      Kafka's own file with C(ssl.keystore.location) and C(ssl.truststore.location), both PEM:
      who to be, and whom to trust.
    type: path
  iterations:
    description: Rounds of hashing. A user that has another number gets its password again.
    type: int
    default: 4096
  declarations_only:
    description: Only check the declarations, without a broker; O(passwords) may be missing.
    type: bool
    default: false
  timeout:
    description: Seconds to wait for a broker, and for the brokers to have taken a change over.
    type: int
    default: 20
author: Server Monitoring Cluster contributors
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
"""

RETURN = r"""
passwords_set: {description: Users whose password was set., type: list, returned: success}
credentials_retired: {description: User to its mechanisms., type: dict, returned: success}
acls_created: {description: Number of new ACLs., type: int, returned: success}
acls_deleted: {description: Number of removed ACLs., type: int, returned: success}
"""

# Kafka's own limit.
LEAST_ITERATIONS = 4096


def check_declarations(module: AnsibleModule) -> None:
    """End the module with the first problem of the declarations, if there is one."""
    passwords = module.params["passwords"]
    if passwords is None and not module.params["declarations_only"]:
        passwords = {}
    problems = declaration_problems(module.params["users"], module.params["super_users"], passwords)
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        module.fail_json(msg=f"kafka_access_users: {problems[0]}{more}", problems=problems)


def run(module: AnsibleModule, cluster: access_cluster.Cluster) -> dict[str, Any]:
    """Plan, and carry the plan out unless this is check mode.

    Raises:
        BrokerError: the broker refused a step, or does not answer as declared afterwards.

    """
    declared = parse(module.params["users"])
    passwords = {user: module.params["passwords"][user] for user in declared}
    iterations = module.params["iterations"]
    super_users = module.params["super_users"]
    found = cluster.state(passwords, iterations)
    plan = make_plan(declared, found, super_users, iterations)
    if plan.changed and not module.check_mode:
        cluster.apply(plan, passwords, iterations)
        # A broker takes a change over from the controller, a moment after that has answered.
        deadline = time.monotonic() + module.params["timeout"]
        while make_plan(
            declared, cluster.state(passwords, iterations), super_users, iterations
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
        "diff": {"before": before, "after": after},
    }


def main() -> None:
    """Run the module."""
    servers = {"type": "list", "elements": "str"}
    module = AnsibleModule(
        argument_spec={
            "users": {"type": "list", "elements": "raw", "required": True},
            "passwords": {"type": "dict", "no_log": True},
            "super_users": {"type": "list", "elements": "str", "default": []},
            "bootstrap_servers": servers,
            "client_servers": servers,
            "admin_properties": {"type": "path"},
            "iterations": {"type": "int", "default": 4096},
            "declarations_only": {"type": "bool", "default": False},
            "timeout": {"type": "int", "default": 20},
        },
        required_if=[
            (
                "declarations_only",
                False,
                ("bootstrap_servers", "client_servers", "admin_properties"),
            )
        ],
        supports_check_mode=True,
    )
    check_declarations(module)
    if not LEAST_ITERATIONS <= module.params["iterations"] < RETIRED:
        found = module.params["iterations"]
        module.fail_json(
            msg=f"iterations: found {found}, expected {LEAST_ITERATIONS} to {RETIRED - 1}"
        )
    if module.params["declarations_only"]:
        module.exit_json(changed=False)
    try:
        cluster = access_cluster.Cluster(
            module.params["bootstrap_servers"],
            module.params["client_servers"],
            module.params["admin_properties"],
            module.params["timeout"],
        )
        try:
            result = run(module, cluster)
        finally:
            cluster.close()
    except BrokerError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
