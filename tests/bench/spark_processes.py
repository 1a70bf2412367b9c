"""Commands with their wall time and the memory of all their processes."""

import os
import subprocess
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SAMPLE_SECONDS = 0.05
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MIB = 1 << 20


class CommandFailedError(Exception):
    """A measured command ended with an error."""


@dataclass(frozen=True)
class Command:
    """What to run, where, and under which environment."""

    arguments: Sequence[str]
    directory: Path
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Cost:
    """Seconds from start to end, and the most memory of all processes at one time, in MiB."""

    seconds: float
    peak_mib: float


def tree_mib(root: int) -> float:
    """Return the resident memory (RSS) of a process and all that descend from it, in MiB.

    Pages that processes share count in each, so the sum is never too small.
    """
    children: dict[int, list[int]] = defaultdict(list)
    pages: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:  # ended meanwhile
                continue
            # After the name, which may hold anything: state, parent, ..., rss as the 22nd.
            values = fields.rpartition(")")[2].split()
            children[int(values[1])].append(int(entry.name))
            pages[int(entry.name)] = int(values[21])
    total, waiting = 0, [root]
    while waiting:
        pid = waiting.pop()
        total += pages.get(pid, 0)
        waiting += children[pid]
    return total * _PAGE / _MIB


def measure_together(commands: Sequence[Command]) -> list[Cost]:
    """Start commands at the same time, and return what each of them cost.

    Memory is looked at each 50 ms.

    Raises:
        CommandFailedError: one of them failed; its message ends with what the command said last.

    """
    began = time.monotonic()
    running = [_start(command) for command in commands]
    peaks = [0.0] * len(running)
    ends: dict[int, float] = {}
    try:
        while len(ends) < len(running):
            for number, process in enumerate(running):
                if number not in ends:
                    peaks[number] = max(peaks[number], tree_mib(process.pid))
                    if process.poll() is not None:
                        ends[number] = time.monotonic() - began
            time.sleep(_SAMPLE_SECONDS)
    finally:
        for process in running:
            process.kill()
    for command, process in zip(commands, running, strict=True):
        if process.wait():
            said = (command.directory / "bench.log").read_text(encoding="utf-8", errors="replace")
            status = f"{command.arguments[0]}: status {process.returncode}"
            message = f"{status}: {said[-2000:]}"
            raise CommandFailedError(message)
    return [Cost(ends[number], peak) for number, peak in enumerate(peaks)]


def _start(command: Command) -> subprocess.Popen[bytes]:
    command.directory.mkdir(parents=True, exist_ok=True)
    with (command.directory / "bench.log").open("wb") as log:
        return subprocess.Popen(
            list(command.arguments),
            cwd=command.directory,
            env=dict(command.environment),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
