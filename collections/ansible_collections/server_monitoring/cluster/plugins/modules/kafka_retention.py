"""Ansible module: see whether topics keep records as long as a run needs (see DOCUMENTATION)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..module_utils.kafka.admin import BrokerError, administrate
from ..module_utils.kafka.module import CLUSTER, begin, finish

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

try:
    from kafka.admin import ConfigResource
except ImportError:
    # A connection says that it is missing.
    ConfigResource = None

DOCUMENTATION = r"""
module: kafka_retention
short_description: See whether topics keep records for as long as a run needs
description:
  - Asks the broker, and changes nothing. A topic that is not there is for others to find.
  - Needs kafka-python 3.
options:
  topics:
    description: Names of the topics.
    type: list
    elements: str
    required: true
  seconds:
    description: How long records must be kept.
    type: int
    required: true
  bytes:
    description: How many bytes a partition must be able to keep.
    type: int
    default: 0
extends_documentation_fragment: [server_monitoring.cluster.kafka]
"""

EXAMPLES = r"""
- name: See whether records are kept for three hours
  server_monitoring.cluster.kafka_retention:
    bootstrap_servers: ["172.29.0.1:9094"]
    admin_properties: /etc/kafka/admin.properties
    topics: [topic-cpu]
    seconds: 10800
"""

RETURN = r"""
topics: {description: Names of the topics that were asked about., type: list, returned: success}
"""


def connect(params: dict[str, Any]) -> Any:
    """Return a client."""
    return administrate(params["bootstrap_servers"], params["admin_properties"], params["timeout"])


def look(module: AnsibleModule, admin: Any) -> dict[str, Any]:
    """Return the module's result.

    Raises:
        BrokerError: a topic keeps too little.

    """
    there = set(admin.list_topics())
    wanted = [ConfigResource("TOPIC", t) for t in module.params["topics"] if t in there]
    found = admin.describe_configs(wanted, config_filter="all")["topic"] if wanted else {}
    least = {
        "retention.ms": (module.params["seconds"] * 1000, "a run may take as long"),
        "retention.bytes": (module.params["bytes"], "the data set may need as much"),
    }
    for topic, configs in sorted(found.items()):
        for name, (need, reason) in least.items():
            kept = int(configs[name]["value"])
            if 0 <= kept < need:
                message = (
                    f"topic {topic}: {name}: found {kept}, expected at least {need}, as {reason}: "
                    "raise it in kafka_topics_declared, or kafka_log_retention_hours, and run "
                    "provision.yml, or lower pipeline_step_timeout"
                )
                raise BrokerError(message)
    return {"changed": False, "topics": sorted(found)}


ARGUMENTS: dict[str, Any] = {
    **CLUSTER,
    "topics": {"type": "list", "elements": "str", "required": True},
    "seconds": {"type": "int", "required": True},
    "bytes": {"type": "int", "default": 0},
}


def main() -> None:
    """Run the module."""
    finish(begin(ARGUMENTS, needed=("bootstrap_servers",)), connect, look)


if __name__ == "__main__":
    main()
