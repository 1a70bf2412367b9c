"""What the role asks and does on nodes by shell: the scripts in its variables."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.project import PROJECT

SCRIPTS = yaml.safe_load((PROJECT / "roles/live/vars/main.yml").read_text(encoding="utf-8"))


def run(folder: Path, name: str, *words: str, **programs: str) -> list[str]:
    """Run a script with some programs in the place of the machine's; return its lines."""
    bin_ = folder / "bin"
    bin_.mkdir(exist_ok=True)
    for program, text in programs.items():
        (bin_ / program).write_text(f"#!/bin/sh\n{text}\n")
        (bin_ / program).chmod(0o755)
    script = SCRIPTS[name].replace("/etc/systemd/system", str(folder))
    done = subprocess.run(
        ["sh", "-c", script, "sh", *words],
        env={"PATH": f"{bin_}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.splitlines()


def test_units_of_live_mode_are_found_and_no_others(tmp_path: Path) -> None:
    """With what the process says that it read, which is this one's here."""
    found = [
        "server-monitoring-live-consume-cpu_mem.service",
        "server-monitoring-detect-cpu_mem.service",
        "server-monitoring-close.service",
        "server-monitoring-close.timer",
        "sm-analyze-cpu_mem@.service",
        "sm-books@.service",
    ]
    others = ["server-monitoring-consume-cpu_mem@.service", "sm-client@.service", "kafka.service"]
    for name in [*found, *others]:
        (tmp_path / name).touch()
    process = subprocess.Popen(["sleep", "60"], env={"LIVE_READS": "abc"})
    try:
        pid = f'case "$*" in *MainPID*detect*) echo {process.pid};; *MainPID*) echo 0;;'
        lines = run(tmp_path, "_live_units_command", systemctl=f"{pid} *) echo enabled;; esac")
    finally:
        process.kill()
        process.wait()
    assert [line.split()[0] for line in lines] == found
    assert "server-monitoring-detect-cpu_mem.service enabled abc" in lines
    assert "server-monitoring-close.timer enabled " in lines


def test_what_is_at_work_is_stopped_and_named(tmp_path: Path) -> None:
    """By the patterns of live mode, of which none is a run's."""
    told = (
        'case $1 in list-units) echo "$@" >&2; echo "a.service loaded active x"; echo "b.service";;'
    )
    assert run(tmp_path, "_live_stop_command", "a*", systemctl=f"{told} esac") == [
        "a.service",
        "b.service",
    ]
    assert run(tmp_path, "_live_stop_command", "a*", systemctl="true") == []
    assert not [
        p
        for p in SCRIPTS["_live_patterns"]
        if "@" in p or p.startswith("server-monitoring-consume")
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_user_that_owns_rows_stays(tmp_path: Path) -> None:
    """Its number would become somebody else's, and the rows with it."""
    (tmp_path / "live").mkdir()
    os.chown(tmp_path / "live", 2, 2)
    words = [str(tmp_path / "live"), "bin", "games"]
    assert run(tmp_path, "_live_remove_users", *words, userdel="true") == ["games"]


def test_users_of_live_mode_are_found(tmp_path: Path) -> None:
    """Those of runs and agents are not its own."""
    users = ("sm-live-cpu_mem", "sm-detect-cpu_mem", "sm-books", "sm-agent", "sm-consume-x", "root")
    told = "\n".join(f"echo {name}:x:1:1::/:/bin/false" for name in users)
    assert run(tmp_path, "_live_users_command", getent=told) == list(users[:3])
