"""The role pki on this machine: an inventory of its own, and a folder for each node."""

import os
import sys
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509

from tests.support.playbooks import Result, play

PASSPHRASE = "a passphrase for tests"  # noqa: S105  opens nothing else
BROKER, CLIENT = "kafka-1", "consumer-1"


class Site:
    """An inventory, and a folder for each of its nodes."""

    def __init__(self, folder: Path) -> None:
        """Take the inventory that is in the folder, or write one."""
        self.folder = folder
        self.inventory = folder / "inventory"
        self.pki = self.inventory / "pki"
        if not self.inventory.exists():
            self._write()

    def _write(self) -> None:
        self.inventory.mkdir()
        for host in (BROKER, CLIENT):
            (self.folder / host).mkdir()
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        hosts = {
            BROKER: local | {"zerotier_ip": "127.0.0.1"},
            CLIENT: local | {"zerotier_ip": "127.0.0.2"},
        }
        groups = {"kafka": BROKER, "producers": CLIENT, "consumers_cpu_mem": CLIENT}
        children: dict[str, Any] = {name: {"hosts": {host: {}}} for name, host in groups.items()}
        text = yaml.safe_dump({"all": {"hosts": hosts, "children": children}})
        (self.inventory / "hosts.yml").write_text(text)

    def run(self, *arguments: str, playbook: str = "pki", **variables: Any) -> Result:
        """Run the role on both hosts, or another playbook."""
        extra = {
            "ansible_become": False,
            "kafka_access_enabled": True,
            "firewall_enabled": False,
            "pki_packages": [],
            "_pki_node_dir": str(self.folder) + "/{{ inventory_hostname }}/etc",
            "_kafka_cluster_ca": "{{ _pki_node_dir }}/kafka-ca.pem",
            "_pki_node_owner": os.geteuid(),
        }
        path = f"playbooks/{playbook}.yml"
        if "pki_passphrase" in variables:
            arguments += ("--skip-tags", "secrets")
        return play(path, *arguments, inventory=self.inventory, extra=extra | variables)

    def file(self, host: str, name: str) -> Path:
        """Return the path of a host's file."""
        return self.folder / host / "etc" / name

    def certificate(self) -> x509.Certificate:
        """Return the broker's certificate."""
        path = self.file(BROKER, "pki/certificate.pem")
        return x509.load_pem_x509_certificate(path.read_bytes())

    def everything(self) -> dict[str, bytes]:
        """Return all files and what is in them."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}
