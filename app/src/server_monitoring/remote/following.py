"""Follow a node's live alerts through ssh, also over connections that end."""

import contextlib
import json
import shlex
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import IO, Any

from server_monitoring.errors import (
    CredentialsError,
    ServerMonitoringError,
    UnreachableError,
    counted,
    one_line,
)
from server_monitoring.model.live import POSITION
from server_monitoring.model.names import ERROR_PREFIX
from server_monitoring.remote.node import Node

# What the node's own sandbox has, but for the addresses: root's systemd gives the credentials.
PROPERTIES = (
    "User=sm-check",
    "Group=server-monitoring",
    "UMask=0027",
    "Environment=LANG=C.UTF-8 LC_ALL=C.UTF-8 TZ=UTC",
    "MemoryMax=256M",
    "MemorySwapMax=0",
    "TasksMax=64",
    "ProtectSystem=strict",
    "ProtectHome=true",
    "PrivateTmp=true",
    "PrivateDevices=true",
    "NoNewPrivileges=true",
    "CapabilityBoundingSet=",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces=true",
    "RestrictSUIDSGID=true",
    "LockPersonality=true",
    "MemoryDenyWriteExecute=true",
    "ProtectKernelTunables=true",
    "ProtectProc=invisible",
    "SystemCallArchitectures=native",
)
CREDENTIALS = "/etc/server-monitoring/credentials/books.json"
PROGRAM = "/opt/server-monitoring/bin/server-monitoring"
SSH_FAILED = 255
# After these the same may work: see errors.
_AGAIN = {0, 1, UnreachableError.exit_status, CredentialsError.exit_status, SSH_FAILED}
PAUSE_SECONDS, LONGEST_PAUSE = 1.0, 30.0
Told = dict[str, Any]


def remote_line(options: list[str]) -> str:
    """Return the shell's line that runs `alerts --live --json` on a node, as root or by sudo."""
    properties = [f"--property={text}" for text in PROPERTIES]
    run = ["systemd-run", "--quiet", "--wait", "--pipe", "--collect", *properties]
    # Brokers without users need none.
    given = f"[ ! -e {CREDENTIALS} ] || set -- --property=LoadCredential=kafka.json:{CREDENTIALS}"
    command = shlex.join([PROGRAM, "alerts", "--live", "--json", *options])
    script = shlex.quote(f'{given}; exec {shlex.join(run)} "$@" {command}')
    return f'if [ "$(id -u)" = 0 ]; then exec sh -c {script}; else exec sudo -n sh -c {script}; fi'


class Following:
    """The alerts of a node, one connection after the other.

    Attributes:
        units: of the columns, as the node says.

    """

    def __init__(self, node: Node, since: str | None, tell: Callable[[str], object]) -> None:
        """Read on from `since`, or from now; `tell` takes a line of what became of a connection."""
        self.units: dict[str, str] = {}
        self._node = node
        self._since = since
        self._tell = tell
        self._positions: dict[str, int] | None = None
        self._last = ""

    def records(self, sleep: Callable[[float], object] = time.sleep) -> Iterator[Told]:
        """Yield alert records for ever, each once.

        Raises:
            UnreachableError: the first connection cannot be made.
            ServerMonitoringError: the node's command fails in a way that waiting does not mend, and
            with its status.

        """
        pause, ended = PAUSE_SECONDS, False
        while True:
            with self._connection() as lines:
                for told in lines:
                    if told.get("kind") != POSITION:
                        yield self._counted(told)
                        continue
                    if self._positions is None:
                        self._tell(f"{self._node.name}: following the alerts; Ctrl-C ends")
                    elif ended:
                        self._tell(f"{self._node.name}: connected again; {self._missed(told)}")
                    pause, ended = PAUSE_SECONDS, False
                    self._positions = dict(told["positions"])
                    self.units = dict(told.get("units", {}))
            ended = True
            self._tell(
                f"{self._node.name}: the connection ended ({self._last}); trying again in "
                f"{pause:.0f} s"
            )
            sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _counted(self, told: Told) -> Told:
        if self._positions is not None and "partition" in told:
            self._positions[str(told["partition"])] = int(told["offset"]) + 1
        return told

    def _missed(self, told: Told) -> str:
        """Return what lies between where the last connection ended and where this one begins."""
        before, now = self._positions or {}, told["positions"]
        gone = sum(max(0, at - before.get(partition, at)) for partition, at in now.items())
        if gone:
            return f"{counted(gone, 'record')} in between are gone: their time in the topic is over"
        return "nothing was missed"

    @contextlib.contextmanager
    def _connection(self) -> Iterator[Iterator[Told]]:
        """Run the node's command, and yield its lines; find out how it ended."""
        options = ["--since", self._since] if self._since else []
        if self._positions is not None:
            options += ["--from", json.dumps(self._positions)]
        process = subprocess.Popen(
            [*self._node.shell, remote_line(options)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        assert process.stdout is not None  # noqa: S101 - piped above
        assert process.stderr is not None  # noqa: S101
        said: deque[str] = deque(maxlen=5)
        listener = threading.Thread(target=_listen, args=(process.stderr, said), daemon=True)
        listener.start()
        try:
            yield _objects(process.stdout)
            status = process.wait()
        finally:
            process.kill()
            process.wait()
        listener.join(1)
        self._last = one_line(said[-1].removeprefix(ERROR_PREFIX) if said else f"status {status}")
        if self._positions is None or (status not in _AGAIN and status > 0):
            raise self._failure(status)

    def _failure(self, status: int) -> ServerMonitoringError:
        what = f"node {self._node.name}: {self._last}"
        if status == SSH_FAILED:
            return UnreachableError(f"{what}; see that ssh reaches it, or name another by --node")
        error = ServerMonitoringError(what)
        error.exit_status = status if status > 0 else error.exit_status
        return error


def _listen(stream: IO[str], said: deque[str]) -> None:
    said.extend(line.strip() for line in stream if line.strip())


def _objects(stream: IO[str]) -> Iterator[Told]:
    """Yield the JSON objects among lines: a login's shell may say something too."""
    for line in stream:
        with contextlib.suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict):
                yield found
