"""What is right already is seen without the module; all else is the module's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.server_monitoring.cluster.plugins.action import files

from tests.support.playbooks import Result, play

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NO_PYTHON = "/no/such/python"
PARTS = ("part-1", "part-2")
UNSET = dict.fromkeys(("owner", "group", "content", "parts", "target", "purge", "mode"))


def entries(folder: Path) -> list[dict[str, Any]]:
    """Return an entry of each kind."""
    own = str(os.geteuid())
    found: list[dict[str, Any]] = [
        {"path": "keys", "state": "directory", "mode": "0700", "owner": own, "purge": "*.json"},
        {"path": "keys/own.json", "content": "it's\n", "mode": "0600", "owner": own},
        {"path": "both", "parts": [str(folder / part) for part in PARTS], "mode": "0640"},
        {"path": "empty", "content": "", "mode": "644"},
        {"path": "rights", "mode": "0600"},
        {"path": "link", "state": "link", "target": "keys/own.json"},
        {"path": "old", "state": "absent"},
    ]
    return [entry | {"path": str(folder / entry["path"])} for entry in found]


def prepare(folder: Path) -> None:
    """Lay down what the entries are made of, and what they remove."""
    for name in (*PARTS, "rights", "old"):
        (folder / name).write_text(f"{name}\n")


def run(folder: Path, *arguments: str, python: str = sys.executable, **more: Any) -> Result:
    """Lay down the entries on a host whose interpreter may be missing; `more` is the task's."""
    task = {
        "name": "Lay down",
        "server_monitoring.cluster.files": {"files": entries(folder)},
        "vars": {"ansible_python_interpreter": python},
        **more,
    }
    book = folder / "play.yml"
    book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]))
    return play(str(book), *arguments)


def test_what_is_right_needs_no_module(tmp_path: Path) -> None:
    """Once it is laid down a host without Python says so, in check mode too, until it drifts."""
    prepare(tmp_path)
    first = run(tmp_path, "--diff")
    assert first.changed() == {"localhost": 1}, first.tail()
    assert "+it's" in first.output
    assert (tmp_path / "both").read_text() == "part-1\npart-2\n"
    for mode in ([], ["--check"]):
        result = run(tmp_path, *mode, python=NO_PYTHON)
        assert result.status == 0, result.tail()
        assert result.changed() == {"localhost": 0}
    (tmp_path / "both").chmod(0o644)
    assert run(tmp_path, python=NO_PYTHON).status != 0


def test_a_task_that_is_tried_again_says_why_it_failed(tmp_path: Path) -> None:
    """A part is missing the first time, and the second."""
    again: dict[str, Any] = {"until": "laid is succeeded", "retries": 1, "delay": 0}
    result = run(tmp_path, register="laid", **again)
    assert result.status != 0
    assert result.says("part-1"), result.tail()
    assert not result.says("Unsupported parameters"), result.tail()


def is_right(folder: Path) -> bool:
    """Tell what the action makes of the entries, by its own script."""
    asked = [UNSET | {"state": "file"} | entry for entry in entries(folder)]
    command = ["sh", "-c", files.script(asked)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return files.are_right(asked, "Welcome to h1\n" + done.stdout)


def relink(path: Path, target: str) -> None:
    """Put a link into a path's place."""
    path.unlink()
    path.symlink_to(target)


DRIFTS: dict[str, Callable[[Path], object]] = {
    "content": lambda folder: (folder / "keys" / "own.json").write_text("other"),
    "mode": lambda folder: (folder / "both").chmod(0o644),
    "part": lambda folder: (folder / "part-2").write_text("new\n"),
    "stranger": lambda folder: (folder / "keys" / ".x.json").write_text(""),
    "old": lambda folder: (folder / "old").write_text(""),
    "gone": lambda folder: (folder / "empty").unlink(),
    "rights": lambda folder: (folder / "rights").chmod(0o644),
    "link": lambda folder: relink(folder / "link", "both"),
    "no link": lambda folder: relink(folder / "empty", "none"),
    "no folder": lambda folder: (folder / "keys").rename(folder / "other"),
    "folder": lambda folder: (folder / "keys").chmod(0o755),
}


@pytest.mark.parametrize("drift", DRIFTS)
def test_each_drift_is_seen(tmp_path: Path, drift: str) -> None:
    """And nothing else is one: a host of a login shell that prints a banner is right too."""
    prepare(tmp_path)
    (tmp_path / "old").unlink()
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys" / "own.json").write_text("it's\n")
    (tmp_path / "keys" / "own.json").chmod(0o600)
    (tmp_path / "keys" / "kept.txt").write_text("")
    (tmp_path / "both").write_text("part-1\npart-2\n")
    (tmp_path / "both").chmod(0o640)
    (tmp_path / "empty").write_text("")
    (tmp_path / "empty").chmod(0o644)
    (tmp_path / "rights").chmod(0o600)
    (tmp_path / "link").symlink_to("keys/own.json")
    assert is_right(tmp_path)
    DRIFTS[drift](tmp_path)
    assert not is_right(tmp_path)


def test_a_pipe_in_a_file_s_place_is_not_waited_for(tmp_path: Path) -> None:
    """Nobody writes to it."""
    prepare(tmp_path)
    os.mkfifo(tmp_path / "empty")
    assert not is_right(tmp_path)
