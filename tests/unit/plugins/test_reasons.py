"""A playbook that failed ends with its reasons, each on one line."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.support.project import PROJECT

LONG = "c1: found a word that is long " + "x" * 200 + ", expected a short one; mend it"


def play(folder: Path, tasks: list[dict[str, Any]], **environment: str) -> tuple[str, str]:
    """Play tasks on three hosts of this machine; return what was printed on both ways."""
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    hosts = dict.fromkeys(["c1", "c2", "c3"])
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": local}}))
    site = [{"hosts": "all", "gather_facts": False, "any_errors_fatal": True, "tasks": tasks}]
    (folder / "site.yml").write_text(yaml.safe_dump(site), encoding="utf-8")
    done = subprocess.run(
        ["ansible-playbook", "-i", "hosts.yml", "site.yml"],
        cwd=folder,
        env={**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout, done.stderr


def fail(msg: str, when: str) -> dict[str, Any]:
    """Return a task that fails where a condition holds."""
    return {"ansible.builtin.fail": {"msg": msg}, "when": when}


TASKS: list[dict[str, Any]] = [
    {**fail("ignored", "true"), "ignore_errors": True},
    {"block": [fail("rescued", "true")], "rescue": [{"ansible.builtin.debug": {"msg": "good"}}]},
    {
        "block": [fail("first", "inventory_hostname == 'c1'")],
        "rescue": [
            fail(f"{LONG}\n\n{LONG}\nodd \x1b[31m", "inventory_hostname == 'c1'"),
            fail("run r1 stopped: another host failed, see there", "inventory_hostname != 'c1'"),
        ],
    },
]


def test_the_last_lines_are_the_reasons_of_the_hosts_that_failed(tmp_path: Path) -> None:
    """Whole, without quotes; neither what was ignored or rescued, nor who stops for others."""
    printed, _ = play(tmp_path, TASKS)
    _, _, end = printed.partition("PLAY RECAP")
    told = [line for line in end.splitlines() if line.startswith("failed:")]
    assert told == [f"failed: {LONG}", "failed: odd \\x1b[31m"]
    assert end.rstrip().endswith(told[-1])


def test_another_callback_s_output_stays_what_it_is(tmp_path: Path) -> None:
    """JSON can be read, and the reasons are beside it."""
    printed, aside = play(tmp_path, TASKS, ANSIBLE_STDOUT_CALLBACK="ansible.posix.json")
    assert json.loads(printed)["stats"]["c1"]["failures"] == 1
    assert f"failed: {LONG}" in aside.splitlines()
