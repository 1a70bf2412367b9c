"""The first step of a run, played on this machine: what is wrong is told, in lines, before it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.project import PROJECT

PLAYBOOK = PROJECT / "playbooks" / "run_settings.yml"
GROUPS = ("kafka", "producers", "consumers_cpu_mem", "consumers_net_disk")


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """Return an inventory of one host, where whatever is not said otherwise becomes root."""
    hosts = {"n1": {"zerotier_ip": "172.29.0.1"}}
    variables = {"zerotier_network_cidr": "172.29.0.0/24", "ansible_become": True}
    children = {name: {"hosts": {"n1": None}} for name in GROUPS}
    site = {"all": {"hosts": hosts, "vars": variables, "children": children}}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(site), encoding="utf-8")
    return tmp_path / "hosts.yml"


def run(
    inventory: Path, settings: dict[str, Any], *arguments: str, cwd: Path = PROJECT
) -> tuple[int, str, dict[str, Any]]:
    """Play the step; return status, the reason if it failed, and the run's facts."""
    environment = {**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"}
    environment |= {"ANSIBLE_BECOME_EXE": "/bin/false"}
    done = subprocess.run(
        ["ansible-playbook", "-i", inventory, PLAYBOOK, "-e", json.dumps(settings), *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    [play] = json.loads(done.stdout)["plays"]
    results = [task["hosts"]["localhost"] for task in play["tasks"]]
    [said] = [r["msg"] for r in results if r.get("failed")] or [""]
    facts = [r["ansible_facts"]["pipeline_run"] for r in results if "ansible_facts" in r]
    return done.returncode, said, facts[0] if facts else {}


def test_a_run_by_a_number_has_its_digits_for_a_name(inventory: Path, tmp_path: Path) -> None:
    """And its data set is found by any path, by a link too; nobody becomes root for it."""
    odd = tmp_path / "übung [1] *"
    odd.mkdir()
    (odd / "data.csv").write_text("ts\n", encoding="utf-8")
    (tmp_path / "link.csv").symlink_to(odd / "data.csv")
    paths = {"pipeline_dataset": str(tmp_path / "link.csv"), "pipeline_results_dir": str(odd)}
    given = {**paths, "pipeline_run_id": 20261128}
    status, said, facts = run(inventory, given)
    assert (status, said) == (0, "")
    assert (facts["id"], facts["dataset"]) == ("20261128", str(odd / "data.csv"))
    (odd / "20261128").mkdir()
    status, said, _ = run(inventory, given)
    assert status != 0
    assert f"was used before ({odd}/20261128 exists)" in said


def test_every_problem_of_the_settings_has_a_line(inventory: Path) -> None:
    """A fraction is no name, and none of these is a number that it is cut to."""
    settings: dict[str, Any] = {"pipeline_run_id": 2026.5, "pipeline_start": "24:00:00"}
    settings |= {"pipeline_spark_cores": "all", "pipeline_on_bad_row": 7, "pipeline_rate": -1}
    _, said, _ = run(inventory, settings)
    names = ("start", "on_bad_row", "rate", "run_id", "spark_cores")
    for line, name in zip(said.splitlines(), names, strict=True):
        assert line.startswith(f"inventory: pipeline_{name}")
        assert line.endswith("; correct it")


def test_a_number_of_another_kind_is_refused_as_it_was_found(inventory: Path) -> None:
    """Each on a line."""
    odd = {"pipeline_window_seconds": 45.5, "pipeline_step_timeout": "1e2"}
    _, said, _ = run(inventory, {**odd, "pipeline_slide_seconds": True})
    assert said.splitlines() == [
        "inventory: pipeline_window_seconds: found 45.5, expected a whole number; correct it",
        "inventory: pipeline_slide_seconds: found True, expected a whole number; correct it",
        "inventory: pipeline_step_timeout: found 1e2, expected a whole number; correct it",
    ]


@pytest.mark.parametrize(
    ("option", "told"),
    [("--check", "--check"), ("--tags=x,y", "--tags x,y"), ("--skip-tags=x", "--skip-tags x")],
)
def test_a_part_of_a_run_is_refused(inventory: Path, option: str, told: str) -> None:
    """It would end well without having done anything."""
    status, said, _ = run(inventory, {}, option)
    assert status != 0
    assert said == f"{told} found, expected none: a run is one thing on all hosts; start it without"


def test_a_run_on_some_hosts_is_refused_before_one_is_reached(inventory: Path) -> None:
    """Also where the limit leaves out the control machine, which decides the settings."""
    command = ["ansible-playbook", "-i", str(inventory), "run_pipeline.yml", "--limit", "n1"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    refused = "--limit n1 found, expected none: a run is one thing on all hosts; start it without"
    assert done.stdout.splitlines()[-1] == f"failed: {refused}"


def test_a_playbook_that_was_started_elsewhere_names_the_file_that_it_lacks(
    inventory: Path, tmp_path: Path
) -> None:
    """Ansible reads ansible.cfg where it is started, and not where everyone may write."""
    status, said, _ = run(inventory, {}, cwd=tmp_path)
    assert status != 0
    expected = f"ansible.cfg: found none, expected {PROJECT}/ansible.cfg: start the playbook in "
    assert said.startswith(expected)
