"""Render the templates of the role kafka as Ansible does, undefined variables refused."""

from __future__ import annotations

import jinja2

from tests.support.project import PROJECT

ROLE = PROJECT / "roles/kafka"
VALUES = {
    "kafka_version": "4.3.1",
    "kafka_node_id": 1,
    "kafka_address": "172.29.0.1",
    "kafka_port": 9092,
    "kafka_controller_port": 9093,
    "kafka_data_dir": "/var/lib/kafka",
    "kafka_heap": "1g",
    "kafka_memory_max": "3G",
    "kafka_tasks_max": 4096,
    "kafka_log_retention_hours": 168,
    "kafka_replication_factor": 1,
    "kafka_extra_properties": {},
    "kafka_limit_nofile": 16384,
    "kafka_address_timeout": 120,
    "kafka_stop_timeout": 30,
    "_kafka_is_controller": True,
    "_kafka_joins": True,
    "_kafka_controllers": ["172.29.0.1:9093"],
    "_kafka_controller_name": "172.29.0.1",
    "_kafka_cluster_controller_names": {},
    "_kafka_cluster_min_isr": 1,
    "kafka_rack": "",
    "_kafka_log_dir": "/var/lib/kafka/data",
    "_kafka_unpacked": "/var/lib/kafka/tmp",
    "_kafka_tree": "/opt/kafka-4.3.1",
    "kafka_access_enabled": False,
    "kafka_max_connections_per_ip": 32,
    "kafka_max_connections": 648,
    "kafka_max_connection_rate": 200,
    "kafka_max_idle_seconds": 180,
    "kafka_max_request_bytes": 1040000,
    "_kafka_queued_bytes": 536870912,
    "_kafka_batch_bytes": 1000000,
    "kafka_broker_port": 9094,
    "kafka_access_admin_properties": "/etc/kafka/admin.properties",
    "_kafka_key_store": "/etc/kafka/broker.pem",
    "_kafka_trust_store": "/etc/kafka/ca.pem",
    "_kafka_principal_rules": "RULE:^CN=([^,]+)(,.*)?$/$1/,DEFAULT",
    "_kafka_super_users": "User:kafka-1;User:kafka-2",
    "_kafka_secure_listeners": [
        "CLIENT://172.29.0.1:9092",
        "BROKER://172.29.0.1:9094",
        "CONTROLLER://172.29.0.1:9093",
    ],
    "_kafka_advertised_listeners": [
        "CLIENT://172.29.0.1:9092",
        "BROKER://172.29.0.1:9094",
        "CONTROLLER://172.29.0.1:9093",
    ],
    "ansible_facts": {"systemd": {"version": 257}},
}


def render(name: str, **changes: object) -> str:
    """Return a template of the role as Ansible renders it."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROLE / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  no HTML
    )
    environment.filters["bool"] = bool
    return environment.get_template(name).render(VALUES | changes)


def properties(**changes: object) -> dict[str, str]:
    """Return the rendered server.properties as a map."""
    lines = render("server.properties.j2", **changes).splitlines()
    pairs = [line.split("=", 1) for line in lines if line and not line.startswith("#")]
    assert len({key for key, _ in pairs}) == len(pairs), "a setting stands twice"
    return dict(pairs)
