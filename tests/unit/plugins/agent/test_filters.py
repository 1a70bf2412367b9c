"""What an agent sends where, and what is wrong with its settings, in one line."""

from typing import Any

import pytest
import yaml
from ansible_collections.server_monitoring.cluster.plugins.filter import agent

from tests.support.project import PROJECT

DEFAULTS = PROJECT / "roles/pipeline/defaults/main.yml"
GROUPS = yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))["pipeline_groups"]
GOOD = {
    "server_id": "web-1.example.org",
    "kafka_client": "kafka-python",
    "bootstrap_servers": ["172.29.0.1:9092"],
    "kafka_security": {"protocol": "SASL_SSL", "ca_file": "/etc/server-monitoring/kafka-ca.pem"},
    "data_dir": "/var/lib/server-monitoring-agent",
    "topics": agent.topics(GROUPS),
    "interval_seconds": 10,
    "spool_bytes": 16777216,
    "source": "psutil",
    "nics": [],
    "disks": [],
    "signing": False,
}


def test_each_column_goes_to_its_topic_whatever_group_it_is_in() -> None:
    """A group of other columns is none of the agent's."""
    metrics = [{"column": "load", "topic": "topic-load"}, {"column": "temp", "topic": "topic-temp"}]
    assert agent.topics({"other": {"metrics": metrics}} | GROUPS) == {
        "cpu_pct": "topic-cpu",
        "mem_pct": "topic-mem",
        "net_in": "topic-net",
        "disk_io": "topic-disk",
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"interval_seconds": 0}, "interval_seconds: found 0, expected a whole number from 1"),
        ({"interval_seconds": "1s"}, "interval_seconds: found '1s', expected a whole number"),
        ({"source": "collectd"}, "source: found 'collectd', expected"),
        ({"source": "file"}, "source_file: missing"),
        ({"nics": "eth0"}, "nics: found 'eth0', expected a list of names"),
        ({"spool_bytes": 1000}, "spool_bytes: found 1000, expected"),
        ({"topics": {"cpu_pct": "topic-cpu"}}, "topics.mem_pct: missing"),
    ],
)
def test_a_setting_is_named_by_its_variable(changes: dict[str, Any], said: str) -> None:
    """As the app itself refuses it, with what was found and what is expected."""
    found = agent.config_problems(GOOD | changes)
    assert len(found) == bool(changes)
    assert not said or found[0].startswith(f"agent_{said}")
