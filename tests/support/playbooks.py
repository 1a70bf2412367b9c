"""Run the project's playbooks from tests, and read what they say."""

import json
import os
import re
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.project import PROJECT

# The lab's containers and rules are root's.
AS_ROOT = [] if os.geteuid() == 0 else ["sudo"]
RECAP = re.compile(
    r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE
)


@dataclass(frozen=True)
class Result:
    """What a playbook's run left: its exit status, output, and seconds."""

    status: int
    output: str
    seconds: float

    def changed(self) -> dict[str, int]:
        """Return the number of changed tasks of each host."""
        return {host: int(changed) for host, _, changed, _, _ in RECAP.findall(self.output)}

    def tail(self, lines: int = 60) -> str:
        """Return the end of the output, for a failing test's message."""
        return "\n".join(self.output.splitlines()[-lines:])

    def says(self, text: str) -> bool:
        """Tell whether the output holds `text`, however its lines are folded."""
        return " ".join(text.split()) in " ".join(self.output.split())


def play(
    playbook: str,
    *arguments: str,
    inventory: Path | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Result:
    """Run `playbook` of the project with ansible-playbook, and return how it went."""
    command = ["ansible-playbook", playbook, *arguments]
    if inventory is not None:
        command += ["--inventory", str(inventory)]
    if extra is not None:
        command += ["--extra-vars", json.dumps(extra)]
    started = time.monotonic()
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - started
    print(f"{' '.join(command)}: status {done.returncode}, {seconds:.1f} s")  # noqa: T201 -- pytest shows it
    return Result(done.returncode, done.stdout, seconds)


def on(node: str, command: str) -> str:
    """Run a shell command as root on a node of the lab and return its standard output.

    Raises:
        AssertionError: it failed.

    """
    done = subprocess.run(
        [*AS_ROOT, "podman", "--runtime=runc", "exec", node, "bash", "-c", command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{node}: {command}: {done.stdout} {done.stderr}"
    return done.stdout.strip()
