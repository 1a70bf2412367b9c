"""What the broker would need is summed up before it starts: a heap too small for it is refused."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.project import PROJECT


def refused(folder: Path, settings: dict[str, Any]) -> list[str]:
    """Return the settings that the role refuses on a host of its own."""
    groups = {name: {"hosts": {"n1": None}} for name in ("kafka", "producers")}
    variables = {"ansible_connection": "local", "zerotier_ip": "172.29.0.1"}
    (folder / "hosts.yml").write_text(
        yaml.safe_dump({"all": {"children": groups, "vars": variables}}), encoding="utf-8"
    )
    role = {"name": "kafka", "tasks_from": "validate.yml"}
    play = {"hosts": "kafka", "gather_facts": False, "tasks": [{"import_role": role}]}
    (folder / "site.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
    done = subprocess.run(
        ["ansible-playbook", "-i", "hosts.yml", "site.yml", "-e", json.dumps(settings)],
        cwd=folder,
        env={
            **os.environ,
            "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
            "ANSIBLE_ROLES_PATH": str(PROJECT / "roles"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("failed: n1: ")]
    return [line.split(": ")[2] for line in lines]


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"kafka_heap": "64m"}, ["kafka_max_request_bytes", "kafka_max_connections"]),
        ({"kafka_max_connections_per_ip": 500}, ["kafka_max_request_bytes"]),
        ({"kafka_max_request_bytes": 1_039_999}, ["kafka_max_request_bytes"]),
        ({"kafka_max_connections": 5_243}, ["kafka_max_connections"]),
        ({"kafka_max_connections": 32}, ["kafka_max_connections"]),
    ],
)
def test_limits_that_do_not_fit_into_the_heap_are_refused(
    tmp_path: Path, settings: dict[str, Any], names: list[str]
) -> None:
    """Requests of one address in a quarter, all requests and all connections in a half each."""
    assert refused(tmp_path, settings) == names
