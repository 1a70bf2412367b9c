"""Following through connections that end: each record once, and a word of each end."""

import itertools
import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from server_monitoring.commands import alerts as command
from server_monitoring.errors import ServerMonitoringError, UnreachableError
from server_monitoring.remote.following import CREDENTIALS, Following, remote_line
from server_monitoring.remote.node import Node

from tests.unit.app.app_command import App

if TYPE_CHECKING:
    from collections.abc import Callable

UNITS = {"avg_cpu": "%"}


def position(**at: int) -> dict[str, Any]:
    """Return the line that says where one reads on, of partitions p0, p1."""
    positions = {name.removeprefix("p"): offset for name, offset in at.items()}
    return {"kind": "position", "at": "t", "positions": positions, "units": UNITS}


def record(partition: int, offset: int, **more: Any) -> dict[str, Any]:
    """Return an alert's record."""
    return {"kind": "window", "partition": partition, "offset": offset, **more}


class Far:
    """The other end of ssh: a script for each connection, and what each was asked."""

    def __init__(self, directory: Path) -> None:
        """Keep everything in a folder."""
        self.directory = directory
        self.directory.mkdir()

    def node(self, *connections: tuple[list[Any], int, str]) -> Node:
        """Return a node whose connections print these lines, and end with status and last word."""
        for number, (lines, status, said) in enumerate(connections):
            texts = [at if isinstance(at, str) else json.dumps(at) for at in lines]
            (self.directory / f"{number}.out").write_text("".join(f"{at}\n" for at in texts))
            end = f"echo {shlex.quote(said)} >&2; exit {status}"
            (self.directory / f"{number}.sh").write_text(end)
        script = (
            f"cd {shlex.quote(str(self.directory))}; n=$(ls asked.* 2>/dev/null | wc -l); "
            'printf %s "$1" > asked.$n; cat $n.out; . ./$n.sh'
        )
        return Node("n1", ("/bin/sh", "-c", script, "ssh"))

    def asked(self) -> list[list[str]]:
        """Return the options that each connection's command had."""
        lines = [path.read_text() for path in sorted(self.directory.glob("asked.*"))]
        # The shell's line holds a script, which holds the command.
        scripts = [
            next(t for t in shlex.split(line) if "--json" in t).rstrip(";") for line in lines
        ]
        return [shlex.split(at)[shlex.split(at).index("--json") + 1 :] for at in scripts]


@pytest.fixture
def far(tmp_path: Path) -> Far:
    """Return the other end."""
    return Far(tmp_path / "far")


def read(following: Following, count: int, pauses: list[float] | None = None) -> list[Any]:
    """Return so many records."""
    sleep: Callable[[float], object] = (pauses if pauses is not None else []).append
    found = itertools.islice(following.records(sleep), count)
    return [(told["partition"], told["offset"]) for told in found]


def test_each_record_comes_once_over_connections_that_end(far: Far) -> None:
    """The next one begins where the last ended, also where only a position says so."""
    told: list[str] = []
    node = far.node(
        (["Welcome!", "{", position(p0=4, p1=7), record(0, 4), record(1, 9)], 255, "Broken pipe"),
        ([position(p0=5, p1=10), record(0, 5)], 8, "server-monitoring: error: broker: no answer"),
        ([], 255, "ssh: connect to host n1 port 22: No route to host"),
        ([position(p0=6, p1=10), record(1, 10), position(p0=6, p1=12), record(1, 12)], 0, ""),
    )
    following = Following(node, "2026-11-30T00:00:00Z", told.append)
    pauses: list[float] = []
    assert read(following, 5, pauses) == [(0, 4), (1, 9), (0, 5), (1, 10), (1, 12)]
    since = ["--since", "2026-11-30T00:00:00Z"]
    assert far.asked() == [
        since,
        [*since, "--from", '{"0": 5, "1": 10}'],
        [*since, "--from", '{"0": 6, "1": 10}'],
        [*since, "--from", '{"0": 6, "1": 10}'],
    ]
    assert pauses == [1, 1, 2]
    assert told == [
        "n1: following the alerts; Ctrl-C ends",
        "n1: the connection ended (Broken pipe); trying again in 1 s",
        "n1: connected again; nothing was missed",
        "n1: the connection ended (broker: no answer); trying again in 1 s",
        (
            "n1: the connection ended (ssh: connect to host n1 port 22: No route to host); "
            "trying again in 2 s"
        ),
        "n1: connected again; nothing was missed",
    ]
    assert following.units == UNITS


def test_records_that_are_gone_meanwhile_are_told(far: Far) -> None:
    """Nobody believes that all was seen."""
    told: list[str] = []
    node = far.node(
        ([position(p0=4), record(0, 4)], 255, ""), ([position(p0=9), record(0, 9)], 255, "")
    )
    assert read(Following(node, None, told.append), 2) == [(0, 4), (0, 9)]
    assert told[-1] == (
        "n1: connected again; 4 records in between are gone: their time in the topic is over"
    )


@pytest.mark.parametrize(
    ("connections", "status", "said"),
    [
        (
            [([], 255, "Permission denied (publickey).")],
            8,
            "node n1: Permission denied (publickey).",
        ),
        ([([], 1, "sudo: a password is required")], 1, "node n1: sudo: a password is required"),
        ([([], 3, "server-monitoring: error: live: missing")], 3, "node n1: live: missing"),
        ([([position(p0=1)], 0, ""), ([], 5, "not authorized")], 5, "node n1: not authorized"),
    ],
)
def test_what_waiting_does_not_mend_ends_it(
    far: Far, connections: list[tuple[list[Any], int, str]], status: int, said: str
) -> None:
    """With the node's own status and last word; so does a first connection that cannot be made."""
    with pytest.raises(ServerMonitoringError) as caught:
        read(Following(far.node(*connections), None, str), 1)
    assert (caught.value.exit_status, str(caught.value)[: len(said)]) == (status, said)
    assert isinstance(caught.value, UnreachableError) == (status == 8)


def test_the_command_runs_in_a_sandbox_as_root_or_by_sudo() -> None:
    """With the credentials of books, where brokers ask for some."""
    line = remote_line([])
    assert line.startswith('if [ "$(id -u)" = 0 ]; then exec sh -c ')
    assert "exec sudo -n sh -c " in line
    assert f"LoadCredential=kafka.json:{CREDENTIALS}" in line
    for text in ("User=sm-check", "ProtectSystem=strict", "CapabilityBoundingSet="):
        assert f"--property={text}" in line


def test_people_read_transitions_and_ctrl_c_is_no_error(
    app: App, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows are for programs."""
    fired = record(
        0, 1, kind="transition", state="firing", at="2026-11-30T00:00:30Z", server_id="a\033[2J",
        group="cpu_mem", alert="CPU spike", peak={"avg_cpu": "99.00"},
    )  # fmt: skip
    node = far.node(([position(p0=0), record(0, 0), fired], 255, "gone"))
    monkeypatch.setattr(command, "find_node", lambda *_: node)

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Following.records, "__defaults__", (interrupted,))
    said = app("alerts", "--live")
    assert said.status == 0
    assert said.out == (
        "2026-11-30T00:00:30Z  FIRING    a\\u001b[2J  cpu_mem  CPU spike  avg_cpu 99.00 %\n"
    )
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--node", "a"], "--node: found no --live"),
        ([], "RUN_DIR: missing; name a run's results, or follow the live alerts: --live"),
        (["results", "--live"], "--live: found RUN_DIR"),
        (["--live", "--status"], "--status: found no --json; give both, on a node"),
        (["--live", "--since", "20:52:00"], "expected a time in ISO 8601"),
        (["--live", "--json", "--from", "[]"], "no JSON object of offsets by partition"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(
    app: App, options: list[str], said: str
) -> None:
    """In one line."""
    done = app("alerts", *options)
    assert done.status == 2
    assert said in done.error()
