"""The inventory's hosts: their groups, their variables, and how to reach them."""

import base64
import json
import subprocess
from functools import cache
from typing import Any
from urllib.parse import quote

import testinfra
from testinfra.host import Host

from tests.support.project import PROJECT

CONNECTION = {
    "host": "ansible_host | default(inventory_hostname)",
    "port": "ansible_port | default(22)",
    "user": "ansible_user | default('root')",
    "key": "ansible_ssh_private_key_file | default('')",
    "arguments": "ansible_ssh_common_args | default('') | trim",
}


def run(command: list[str], path: str | None) -> str:
    """Run one of Ansible's commands on the inventory at `path` and return what it prints."""
    command += ["--inventory", path] if path else []
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    return done.stdout


@cache
def inventory(path: str | None) -> dict[str, Any]:
    """Return the inventory as ansible-inventory lists it."""
    listed: dict[str, Any] = json.loads(run(["ansible-inventory", "--list", "--export"], path))
    return listed


@cache
def connections(path: str | None) -> dict[str, dict[str, Any]]:
    """Return how Ansible logs in on each host, its variables resolved by Ansible itself."""
    fields = ", ".join(f"'{name}': {value}" for name, value in CONNECTION.items())
    argument = "msg={{ {" + fields + "} | to_json | b64encode }}"
    command = ["ansible", "all", "--one-line", "--module-name", "ansible.builtin.debug"]
    found = {}
    for line in run([*command, "--args", argument], path).splitlines():
        host, _, answer = line.partition(" | SUCCESS => ")
        if answer:
            found[host] = json.loads(base64.b64decode(json.loads(answer)["msg"]))
    return found


def connect(path: str | None, node: str) -> Host:
    """Return testinfra's handle on a node, over one ssh connection that stays open."""
    how = connections(path)[node]
    return testinfra.get_host(
        f"ssh://{quote(how['user'])}@{how['host']}:{how['port']}",
        ssh_identity_file=how["key"] or None,
        ssh_extra_args=how["arguments"],
        controlpersist=60,
        sudo=how["user"] != "root",
    )


def members(path: str | None, pattern: str) -> list[str]:
    """Return the hosts of a group, or of all groups that `pattern` with its * stands for."""
    groups = inventory(path)
    if pattern == "all":
        return sorted({h for g in groups.values() for h in g.get("hosts", [])})
    prefix = pattern.removesuffix("*")
    names = [g for g in groups if g == pattern or (prefix != pattern and g.startswith(prefix))]
    return sorted({host for name in names for host in groups[name].get("hosts", [])})
