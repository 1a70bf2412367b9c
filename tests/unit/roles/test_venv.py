"""The app's files stay under a unit of a run that has them open."""

import os
import subprocess
from pathlib import Path

import yaml

from tests.support.project import PROJECT

UNIT = "server-monitoring-consume-cpu_mem@r1.service"


def test_a_unit_that_runs_keeps_its_files(tmp_path: Path) -> None:
    """The unit is named before anything is changed."""
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(f"#!/bin/sh\necho '{UNIT} loaded active running Consumer'\n")
    systemctl.chmod(0o755)
    role = {"name": "venv", "tasks_from": "install.yml"}
    paths = {"venv_path": str(tmp_path / "made"), "venv_requirements": "none"}
    task = {"ansible.builtin.import_role": role, "vars": paths}
    site = {"hosts": "n1", "gather_facts": False, "tasks": [task]}
    (tmp_path / "site.yml").write_text(yaml.safe_dump([site]), encoding="utf-8")
    environment = {"ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg")}
    done = subprocess.run(
        ["ansible-playbook", "-i", "n1,", "-c", "local", tmp_path / "site.yml"],
        cwd=PROJECT,
        env={**os.environ, **environment, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stdout.splitlines()[-1]
    assert last.startswith(
        f"failed: n1: {UNIT} runs, expected no run while {tmp_path}/made is made"
    )
    assert "ok=1 " in done.stdout
    assert not (tmp_path / "made").exists()
