"""Questions to a host are asked by one script, and answered one by one."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.server_monitoring.cluster.plugins.action import look

from tests.support.playbooks import play

if TYPE_CHECKING:
    from pathlib import Path

NOTHING: dict[str, Any] = {
    "paths": [],
    "read": [],
    "packages": [],
    "accounts": [],
    "commands": {},
}


def ask(**questions: Any) -> dict[str, Any]:
    """Return the answers of this machine."""
    asked = NOTHING | questions
    done = subprocess.run(
        ["sh", "-c", look.script(asked)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return look.answers(asked, done.stdout)


def test_nothing_asked_nothing_answered() -> None:
    """Every kind of answer is there."""
    empty: dict[str, Any] = {
        "present": [],
        "content": {},
        "missing": [],
        "accounts": {},
        "said": {},
    }
    assert ask() == empty


def test_paths_that_are_there_are_named(tmp_path: Path) -> None:
    """Files, folders and links, also those to nothing; a name may hold anything."""
    names = ["a file", "it's; echo present 9", "folder"]
    (tmp_path / "folder").mkdir()
    for name in names[:2]:
        (tmp_path / name).write_text("")
    (tmp_path / "link").symlink_to("nowhere")
    asked = [str(tmp_path / name) for name in [*names, "link", "none"]]
    assert ask(paths=asked)["present"] == asked[:-1]


@pytest.mark.parametrize("text", ["", "one\ntwo\n", "said 0 0 x\nöß \x01 '$(id)'", " \n\n"])
def test_content_comes_as_it_is(tmp_path: Path, text: str) -> None:
    """What is not there has no content."""
    file = tmp_path / "it's"
    file.write_text(text)
    assert ask(read=[str(file), "/none", str(tmp_path)])["content"] == {str(file): text}


def test_packages_that_are_missing_are_named() -> None:
    """One that was removed and left its settings is missing too."""
    assert ask(packages=["dpkg", "no-such-package", "base-files"])["missing"] == ["no-such-package"]


def test_accounts_that_are_there_are_told() -> None:
    """With what the module user would compare."""
    found = pwd.getpwnam("root")
    assert ask(accounts=["root", "no-such-user"])["accounts"] == {
        "root": {"group": "root", "home": found.pw_dir, "shell": found.pw_shell}
    }


def test_commands_tell_status_output_and_errors() -> None:
    """Each reads its own input."""
    said = ask(
        commands={
            "failing": ["sh", "-c", "echo out; echo err >&2; exit 3"],
            "missing": ["/no/such/command"],
            "reading": {"argv": ["cat"], "stdin": "it's\n$HOME"},
            "silent": ["cat"],
            "wordy": ["sh", "-c", "echo only this >&2"],
        }
    )["said"]
    assert said["failing"] == {"rc": 3, "out": "out", "err": "err\n"}
    assert said["missing"]["rc"] == 127
    assert "/no/such/command" in said["missing"]["err"]
    assert said["reading"] == {"rc": 0, "out": "it's\n$HOME", "err": ""}
    assert said["silent"] == {"rc": 0, "out": "", "err": ""}
    assert said["wordy"]["err"] == "only this\n"


def test_what_a_login_shell_prints_is_passed_over() -> None:
    """Banners are no answers."""
    text = "Welcome to h1\npresent me\npresent 0\n\n"
    assert look.answers(NOTHING | {"paths": ["/a"]}, text)["present"] == ["/a"]


@pytest.mark.parametrize("mode", [[], ["--check"]])
def test_task_asks_and_changes_nothing(tmp_path: Path, mode: list[str]) -> None:
    """In check mode too."""
    asked = {"paths": ["/"], "commands": {"me": ["id", "-u"]}}
    tasks = [
        {"server_monitoring.cluster.look": asked, "register": "found"},
        {"ansible.builtin.assert": {"that": f"found.said.me.out == '{os.geteuid()}'"}},
    ]
    book = tmp_path / "look.yml"
    book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    result = play(str(book), *mode)
    assert result.status == 0, result.tail()
    assert result.changed() == {"localhost": 0}


def test_what_was_put_in_a_file_s_place_is_not_read(tmp_path: Path) -> None:
    """Neither is a link followed, which root could by, nor a pipe waited for."""
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    (tmp_path / "link").symlink_to(secret)
    os.mkfifo(tmp_path / "pipe")
    asked = [str(tmp_path / name) for name in ("link", "pipe", "secret")]
    assert ask(read=asked)["content"] == {str(secret): "secret\n"}
