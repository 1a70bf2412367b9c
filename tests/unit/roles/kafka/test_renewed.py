"""Which brokers are asked before their release changes, as Ansible finds it out."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.support.kafka_templates import ROLE
from tests.support.project import PROJECT

PLAY = [
    {
        "hosts": "all",
        "gather_facts": False,
        "vars_files": [str(ROLE / "vars/main.yml")],
        "tasks": [{"ansible.builtin.debug": {"msg": "found {{ _kafka_renewed }}."}}],
    }
]


def broker(release: str, *, answers: bool = True) -> dict[str, Any]:
    """Return a host whose broker runs a release (none: it is down), as the role has seen it."""
    jar = f"/opt/kafka-{release}/libs/*" if release else ""
    said = {"jar": {"out": jar}, "listens": {"rc": 0 if answers else 1}}
    return {"__kafka_node": {"said": said}}


def renewed(folder: Path, hosts: dict[str, dict[str, Any]]) -> str:
    """Return what the role's variable is for kafka_version 4.3.1."""
    common = {"ansible_connection": "local", "kafka_version": "4.3.1"}
    inventory = {"all": {"vars": common, "children": {"kafka": {"hosts": hosts}}}}
    (folder / "hosts.json").write_text(json.dumps(inventory))
    (folder / "play.json").write_text(json.dumps(PLAY))
    done = subprocess.run(
        ["ansible-playbook", "-i", folder / "hosts.json", folder / "play.json"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_those_that_answer_and_run_another_release_are_asked(tmp_path: Path) -> None:
    """Not who runs it already, is down, does not answer, or was left out of the run."""
    hosts = {
        "same": broker("4.3.1"),
        "down": broker("", answers=False),
        "silent": broker("4.2.2", answers=False),
        "left-out": {},
        "older": broker("4.2.2"),
        "other": broker("4.4.0"),
    }
    assert "found ['older', 'other']." in renewed(tmp_path, hosts)


def test_nobody_is_asked_where_all_run_the_release(tmp_path: Path) -> None:
    """Nor on fresh nodes: that costs a provision run nothing."""
    hosts = {"same": broker("4.3.1"), "fresh": broker("", answers=False)}
    assert "found []." in renewed(tmp_path, hosts)
