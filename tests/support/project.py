"""Where the checkout is, and in it the programs of Ansible's own."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
COLLECTION = "server_monitoring.cluster"
PLUGINS_PACKAGE = f"ansible_collections.{COLLECTION}.plugins"
PLUGINS = PROJECT / "collections/ansible_collections/server_monitoring/cluster/plugins"
