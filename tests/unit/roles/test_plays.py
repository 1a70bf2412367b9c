"""Plays say what they need, so that no setting of who runs Ansible takes it from them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.project import PROJECT

PLAYS: dict[str, dict[str, Any]] = {
    f"{path.name}: {play['name']}": play
    for path in sorted((PROJECT / "playbooks").glob("*.yml"))
    for play in yaml.safe_load(path.read_text(encoding="utf-8"))
    if "hosts" in play
}
LAB = ("lab_up.yml: Bring up the lab's nodes", "lab_down.yml: Take the lab down")


@pytest.mark.parametrize("name", PLAYS)
def test_a_play_asks_for_its_strategy_and_says_whether_it_gathers_facts(name: str) -> None:
    """ANSIBLE_STRATEGY=free would compare rows before all hosts have stored theirs."""
    assert PLAYS[name]["strategy"] == "linear"
    assert isinstance(PLAYS[name]["gather_facts"], bool)


@pytest.mark.parametrize("folder", ["", "playbooks"])
def test_the_control_machine_becomes_nobody_else(folder: str) -> None:
    """Whatever the inventory says of all hosts; variables beside playbooks are above its own."""
    path = PROJECT / folder / "host_vars" / "localhost.yml"
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == {"ansible_become": False}


def test_only_the_lab_s_plays_become_root_on_the_control_machine() -> None:
    """By a variable of the play, which is above those beside it: a keyword would not count."""
    root = [name for name, play in PLAYS.items() if play.get("vars", {}).get("ansible_become")]
    assert sorted(root) == sorted(LAB)
    here = [name for name, play in PLAYS.items() if play["hosts"] == "localhost"]
    assert not [name for name in here if PLAYS[name].get("become")]


def test_tasks_of_the_lab_s_role_that_need_no_root_say_so_by_the_variable() -> None:
    """A keyword would be below the play's variable, and keys would be root's."""
    role: Path = PROJECT / "roles" / "lab" / "tasks"
    assert not [path for path in role.glob("*.yml") if "become: false\n" in _keywords(path)]


def _keywords(path: Path) -> str:
    return path.read_text(encoding="utf-8").replace("ansible_become: false\n", "")
