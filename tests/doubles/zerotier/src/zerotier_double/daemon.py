"""The service: API, underlay and data plane of one node, until it is told to stop."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from . import VERSION_TEXT, api, links
from .cli import HOME
from .node import Node
from .peers import ZEROTIER_PORT
from .store import Home
from .underlay import Underlay

if TYPE_CHECKING:
    from types import FrameType

    from .links import Link

_STEP_SECONDS = 0.25
_TICK_STEPS = 4
_CHECK_SECONDS = 10.0


class Dataplane:
    """Applies the wanted interfaces when they change, and now and then in case someone else did."""

    def __init__(self) -> None:
        """Start with nothing applied."""
        self._applied: list[Link] | None = None
        self._applied_at = 0.0

    def apply(self, wanted: list[Link]) -> None:
        """Make the interfaces true; a failure is logged and tried again."""
        recent = time.monotonic() - self._applied_at < _CHECK_SECONDS
        if wanted == self._applied and recent:
            return
        try:
            links.apply(wanted)
        except subprocess.CalledProcessError as problem:
            command, reason = " ".join(problem.cmd), problem.stderr.strip()
            _log(f"ERROR: unable to configure virtual network port: {command}: {reason}")
            self._applied = None
            return
        self._applied, self._applied_at = wanted, time.monotonic()


def main() -> int:
    """Serve the home directory given as the only argument, or the usual one."""
    home = Home(Path(sys.argv[1]) if len(sys.argv) > 1 else HOME)
    underlay = Underlay()
    node = Node(home, underlay)
    serving = api.server(node, home.auth_token(), ZEROTIER_PORT)
    home.write_text("zerotier-one.port", str(ZEROTIER_PORT), 0o644)
    stop = threading.Event()

    def told(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, told)
    signal.signal(signal.SIGINT, told)
    for target in (serving.serve_forever, lambda: underlay.serve(node)):
        threading.Thread(target=target, daemon=True).start()
    _log(f"double of zerotier-one {VERSION_TEXT}: node {node.identity.address} is up")
    _run(node, stop)
    Dataplane().apply([])
    return 0


def _run(node: Node, stop: threading.Event) -> None:
    dataplane, step = Dataplane(), 0
    while not stop.is_set():
        if step % _TICK_STEPS == 0:
            node.tick()
        dataplane.apply(node.links())
        stop.wait(_STEP_SECONDS)
        step += 1


def _log(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
