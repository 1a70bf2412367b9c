"""Ansible module: wait until a Kafka cluster answers (see DOCUMENTATION)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..module_utils.kafka.admin import BrokerError, administrate
from ..module_utils.kafka.module import CLUSTER, begin, finish

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: kafka_answer
short_description: Wait until a Kafka cluster answers
description:
  - Asks a broker which brokers are up, as its administrator. Changes nothing.
  - Without O(admin_properties) it speaks to the brokers in plain text.
  - Needs kafka-python 3. With O(declarations_only=true) it asks nothing.
extends_documentation_fragment: [server_monitoring.cluster.kafka]
"""

EXAMPLES = r"""
- name: Wait for a broker that speaks plain text
  server_monitoring.cluster.kafka_answer:
    bootstrap_servers: ["172.29.0.1:9092"]

- name: Wait for a broker as its administrator
  server_monitoring.cluster.kafka_answer:
    bootstrap_servers: ["172.29.0.1:9094"]
    admin_properties: /etc/kafka/admin.properties
    timeout: 60
"""

RETURN = r"""
brokers:
  description: Ids of the brokers that are up.
  type: list
  elements: int
  returned: success
"""

INTERVAL_SECONDS = 1.0


def connect(params: dict[str, Any]) -> Any:
    """Return a client once a broker lets it in. Raises BrokerError after the timeout."""
    deadline = time.monotonic() + params["timeout"]
    while True:
        try:
            return administrate(
                params["bootstrap_servers"], params["admin_properties"], params["timeout"]
            )
        except BrokerError:
            if time.monotonic() > deadline:
                raise
        time.sleep(INTERVAL_SECONDS)


def ask(_module: AnsibleModule, admin: Any) -> dict[str, Any]:
    """Return the module's result."""
    brokers = admin.describe_cluster()["brokers"]
    up = sorted(broker["broker_id"] for broker in brokers if not broker.get("is_fenced"))
    return {"changed": False, "brokers": up}


ARGUMENTS: dict[str, Any] = dict(CLUSTER)


def main() -> None:
    """Run the module."""
    finish(begin(ARGUMENTS, needed=("bootstrap_servers",)), connect, ask)


if __name__ == "__main__":
    main()
