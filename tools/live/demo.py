"""Live mode on the lab as it happens: an incident is made, fires, and is over; the day is closed.

`make demo-live` calls it, with the lab's inventory in ANSIBLE_INVENTORY.
"""

import json
import queue
import re
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

PROJECT = Path(__file__).parents[2]
NODE = "producer-1"
INCIDENT = {"cpu_pct": 97.5, "mem_pct": 95.0, "net_in": 60.0, "disk_io": 30.0}
# A window is 30 s long, and one begins each 10 s; ssh, and a machine that does much else.
PATIENCE = 180


class Follower:
    """`server-monitoring alerts --live`: each of its lines is shown, and may be waited for."""

    def __init__(self) -> None:
        """Start it."""
        command = ["server-monitoring", "alerts", "--live"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._lines: queue.Queue[str] = queue.Queue()
        self._firing: set[tuple[str, str]] = set()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            show(line.rstrip("\n"))
            self._lines.put(line)

    def wait_for(self, groups: int) -> float:
        """Return the seconds until alerts of so many groups fire for the node; end if not."""
        began = time.monotonic()
        while len({group for group, _ in self._firing}) != groups:
            try:
                line = self._lines.get(timeout=max(0, began + PATIENCE - time.monotonic()))
            except queue.Empty:
                sys.exit(f"demo: {NODE}: {len(self._firing)} alerts fire after {PATIENCE} s")
            _, word, node, group, label, *_ = re.split(" {2,}", line)
            if node == NODE and word == "FIRING":
                self._firing.add((group, label))
            elif node == NODE:
                self._firing.discard((group, label))
        return time.monotonic() - began

    def end(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait(timeout=30)


def play(playbook: str, *arguments: str) -> None:
    """Run a playbook; where it fails, show the end of its output and end."""
    command = ["ansible-playbook", f"playbooks/{playbook}", *arguments]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stdout[-4000:]}\ndemo: {' '.join(command)}: status {done.returncode}")


def say(text: str) -> None:
    """Tell what happens now, with the time in UTC."""
    sys.stdout.write(f"{datetime.now(UTC):%H:%M:%S} {text}\n")
    sys.stdout.flush()


def show(text: str) -> None:
    """Show a line of another command, or of a file."""
    sys.stdout.write(f"    {text}\n")
    sys.stdout.flush()


def incident() -> None:
    """Let a server be busy until that fires, and idle until that is over."""
    follower = Follower()
    try:
        say(f"{NODE} becomes busy: {', '.join(f'{k} {v}' for k, v in INCIDENT.items())}")
        busy = json.dumps({"lab_sample": INCIDENT})
        play("lab_sample.yml", "--limit", NODE, "--extra-vars", busy)
        say(f"both metric groups fire {follower.wait_for(2):.0f} s later")
        play("lab_sample.yml", "--limit", NODE)
        say(f"{NODE} is idle again")
        say(f"all is resolved {follower.wait_for(0):.0f} s later")
    finally:
        follower.end()


def books(day: str) -> None:
    """Let Spark close the day, and show what came of it."""
    say(f"The day's books are closed: ansible-playbook playbooks/live_close.yml -e day={day}")
    play("live_close.yml", "--extra-vars", f"day={day}")
    folder = PROJECT / "results" / "live" / day
    found = json.loads((folder / "books.json").read_text(encoding="utf-8"))
    for what in ("windows", "alerts_batch", "alerts_live", "open"):
        show(f"{what}: {sum(found[what].values())}")
    show(f"differences: {found['differences']['count']}")
    say(f"Tables, page and books of the day are in {folder.relative_to(PROJECT)}/")


if __name__ == "__main__":
    incident()
    books(datetime.now(UTC).date().isoformat())
