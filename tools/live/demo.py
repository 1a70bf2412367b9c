"""Live mode on the lab, as it happens: an incident is made, fires, and is over; the day is closed.

python3 tools/live/demo.py, with the lab's inventory in ANSIBLE_INVENTORY; `make demo-live` calls it.
"""

import json
import queue
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


class DemoError(Exception):
    """What was to be seen was not."""


class Follower:
    """`server-monitoring alerts --live`: each of its lines is shown, and may be waited for."""

    def __init__(self) -> None:
        """Start it."""
        self._process = subprocess.Popen(
            ["server-monitoring", "alerts", "--live"], stdout=subprocess.PIPE, text=True
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            print(f"    {line}", end="", flush=True)
            self._lines.put(line)

    def wait_for(self, word: str) -> float:
        """Return the seconds until a line of the node had the word.

        Raises:
            DemoError: none came.

        """
        began = time.monotonic()
        while (left := began + PATIENCE - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left)
            except queue.Empty:
                break
            if NODE in line and word in line:
                return time.monotonic() - began
        raise DemoError(f"{NODE} was not {word} within {PATIENCE} s; see playbooks/live_status.yml")

    def end(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait(timeout=30)


def play(playbook: str, *arguments: str) -> None:
    """Run a playbook; its output is shown if it fails.

    Raises:
        DemoError: it failed.

    """
    command = ["ansible-playbook", f"playbooks/{playbook}", *arguments]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DemoError(f"{' '.join(command)}: status {done.returncode}\n{done.stdout[-4000:]}")


def say(text: str) -> None:
    """Tell what happens now, with the time in UTC."""
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", flush=True)


def main() -> int:
    """Make an incident, wait for its alerts, close the day; return the exit status."""
    day = datetime.now(UTC).date().isoformat()
    follower = Follower()
    try:
        say(f"{NODE} becomes busy: {', '.join(f'{k} {v}' for k, v in INCIDENT.items())}")
        incident = json.dumps({"lab_sample": INCIDENT})
        play("lab_sample.yml", "--limit", NODE, "--extra-vars", incident)
        say(f"firing after {follower.wait_for('firing'):.0f} s")
        play("lab_sample.yml", "--limit", NODE)
        say(f"{NODE} is idle again")
        say(f"resolved after {follower.wait_for('resolved'):.0f} s")
        say(
            f"Spark closes the books of {day}: ansible-playbook playbooks/live_close.yml -e day={day}"
        )
        play("live_close.yml", "--extra-vars", f"day={day}")
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    finally:
        follower.end()
    folder = PROJECT / "results" / "live" / day
    books = json.loads((folder / "books.json").read_text(encoding="utf-8"))
    for what in ("windows", "alerts_batch", "alerts_live"):
        print(f"    {what}: {sum(books[what].values())}")
    print(f"    differences: {books['differences']['count']}")
    say(f"The tables and the page of the day are in {folder.relative_to(PROJECT)}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
