"""Two functions of a shell script at once: what they print, how they fail, what a signal does."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.project import PROJECT

# What a test run does at a signal: it ends what it started.
LASTING = "trap 'echo cleaned up; exit 2' INT; echo begun; sleep 30"


def start(first: str, second: str) -> subprocess.Popen[str]:
    """Start a script that runs both bodies of a function beside each other."""
    functions = f"first() {{ {first}; }}; second() {{ {second}; }}"
    return subprocess.Popen(
        ["bash", "-euc", f". tests/beside.sh; {functions}; beside first second"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_output_of_the_second_comes_whole_after_the_first_s() -> None:
    """Also where the second one ends before."""
    script = start("sleep 0.5; echo first", "echo second")
    assert script.communicate(timeout=60)[0].split() == ["first", "second"]
    assert script.returncode == 0


@pytest.mark.parametrize(("first", "second"), [("3", "0"), ("0", "3")])
def test_failure_of_one_is_that_of_both_once_both_have_ended(first: str, second: str) -> None:
    """A linter's findings do not keep those of another from being seen."""
    script = start(f"echo one; return {first}", f"sleep 0.5; echo two; return {second}")
    assert script.communicate(timeout=60)[0].split() == ["one", "two"]
    assert script.returncode == 3


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_lets_both_clean_up(sent: signal.Signals, tmp_path: Path) -> None:
    """And the script ends when they have."""
    begun = [tmp_path / "first", tmp_path / "second"]
    bodies = [LASTING.replace("sleep", f"touch {file}; sleep") for file in begun]
    script = start(bodies[0], bodies[1])
    while not all(file.exists() for file in begun):
        time.sleep(0.1)
    script.send_signal(sent)
    assert script.communicate(timeout=60)[0].splitlines() == ["begun", "cleaned up"] * 2
    assert script.returncode == 2
