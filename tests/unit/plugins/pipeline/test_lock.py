"""One run at a time passes the gate, and none lets go what another one holds."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.server_monitoring.cluster.plugins.action import pipeline_lock

from tests.unit.plugins.pipeline.progress_plays import play, write_site

RUNS = {name: {"id": name, "token": f"of {name}", "by": f"{name} on a machine"} for name in "ab"}
UNITS = "server-monitoring-*@a.service"


def lock(run: str, state: str, **more: Any) -> dict[str, Any]:
    """Return a task that wants the lock for a run, or lets it go."""
    given = {"state": state, "keeps": True, "run": RUNS[run], **more}
    return {"server_monitoring.cluster.pipeline_lock": given, "ignore_errors": True}


def done(folder: Path, tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Play tasks on a host; return their results."""
    environment = write_site(folder, {})
    environment |= {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"}
    site = [{"hosts": "c1", "gather_facts": False, "tasks": tasks}]
    (folder / "site.yml").write_text(yaml.safe_dump(site), encoding="utf-8")
    (folder / "wants").mkdir()
    (folder / "wants" / "server-monitoring-produce@a.service").symlink_to("x")
    (folder / "wants" / "server-monitoring-produce@b.service").symlink_to("x")
    said = json.loads(play(folder, environment).stdout)
    return [task["hosts"]["c1"] for task in said["plays"][0]["tasks"]]


def test_one_run_holds_the_lock_until_it_lets_it_go(tmp_path: Path) -> None:
    """Who comes second is told whose it is, since when, and what to type; and changes nothing."""
    tasks = [
        lock("a", "taken"),
        lock("b", "taken"),
        lock("b", "left"),
        lock("b", "taken"),
        lock("a", "left"),
        lock("b", "taken"),
        lock("a", "taken", force=True),
        lock("b", "taken", seconds=0),
        lock("a", "taken", keeps=False),
    ]
    results = done(tmp_path, tasks)
    refused = [place for place, result in enumerate(results) if result.get("failed")]
    assert refused == [1, 3]
    message = results[1]["msg"]
    assert "c1: run a, started by a on a machine, passes its gate since 20" in message
    assert "go on with -e pipeline_stop_running=true" in message
    holder = json.loads((tmp_path / "run" / "holder").read_text(encoding="utf-8"))
    assert holder["id"] == "b"


def test_who_was_broken_off_holds_the_lock_no_longer(tmp_path: Path) -> None:
    """Where its play was started on this machine; of another machine's that cannot be known."""
    play = pipeline_lock.own_play().rpartition(" ")[0]
    with subprocess.Popen(["true"]) as ended:
        pass
    for place, process, is_free in (
        (play, ended.pid, True),
        (play, os.getpid(), False),
        ("another boot", ended.pid, False),
    ):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        (folder / "run").mkdir(parents=True)
        holder = json.dumps(RUNS["a"] | {"play": f"{place} {process}"})
        (folder / "run" / "holder").write_text(holder, encoding="utf-8")
        results = done(folder, [lock("b", "taken"), lock("a", "taken")])
        assert [not result.get("failed") for result in results] == [is_free, False]


def test_a_run_that_was_given_up_is_stopped_and_remembered_until_it_begins_anew(
    tmp_path: Path,
) -> None:
    """Of its units alone; nothing of it is started with the host any more."""
    tasks = [
        lock("a", "taken"),
        lock("a", "over", units=UNITS),
        lock("b", "taken"),
        lock("b", "ended", units=UNITS, boot="UserspaceTimestampMonotonic=1"),
        lock("a", "taken"),
    ]
    results = done(tmp_path, tasks)
    assert not [result for result in results if result.get("failed")]
    assert [result["over"] for result in results] == [[], ["a"], ["a"], ["a"], []]
    assert [result["booted"] for result in results] == [False, False, False, True, False]
    assert [path.name for path in (tmp_path / "wants").iterdir()] == [
        "server-monitoring-produce@b.service"
    ]
    calls = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert calls.count(f"stop {UNITS}") == 1
    assert calls.count(f"reset-failed {UNITS}") == 2
