"""The service: API, underlay and data plane of one node, until it is told to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from . import api, links, local_conf, tun
from .cli import HOME
from .errors import FatalError
from .node import Node
from .store import Home
from .underlay import Underlay
from .variant import BUILT

if TYPE_CHECKING:
    from http.server import ThreadingHTTPServer
    from types import FrameType

    from .links import Link

_STEP_SECONDS = 0.25
_TICK_STEPS = 4
_CHECK_SECONDS = 10.0
_PORT_ERROR = "ERROR: unable to configure virtual network port:"
# The real one's words, whatever the reason: it tries another device last, which is never there.
_NO_TUN = "could not open TUN/TAP device: No such file or directory"


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
            _log(f"{_PORT_ERROR} {command}: {reason}")
            self._applied = None
            return
        self._applied, self._applied_at = wanted, time.monotonic()


class PortErrors:
    """Logs each network that gets no interface, once until it has one."""

    def __init__(self) -> None:
        """Start with nothing logged."""
        self._logged: set[str] = set()

    def update(self, without_port: list[str]) -> None:
        """Log the networks that are new in the list."""
        for _ in set(without_port) - self._logged:
            _log(f"{_PORT_ERROR} {_NO_TUN}")
        self._logged = set(without_port)


def main() -> int:
    """Serve the home directory given as the only argument, or the usual one."""
    home = Home(Path(sys.argv[1]) if len(sys.argv) > 1 else HOME)
    try:
        conf = local_conf.load(home)
        underlay = Underlay(conf)
        node = Node(home, underlay, conf=conf, opens_tun=tun.opens)
        serving = _serving(node, home)
    except FatalError as problem:
        _log(str(problem))
        return 1
    stop = threading.Event()

    def told(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, told)
    signal.signal(signal.SIGINT, told)
    for target in (serving.serve_forever, lambda: underlay.serve(node)):
        threading.Thread(target=target, daemon=True).start()
    _log(f"double of zerotier-one {BUILT.version}: node {node.identity.address} is up")
    _run(node, stop)
    Dataplane().apply([])
    if node.collided:
        _log("identity/address collision: starting again with a new identity")
        home.forget_identity()
        os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606 - itself
    return 0


def _serving(node: Node, home: Home) -> ThreadingHTTPServer:
    """Return the bound API, its port left where the command looks for it; raises FatalError."""
    port = node.conf.primary_port
    try:
        serving = api.server(node, home.auth_token(), port)
    except OSError:
        message = f"zerotier-one: fatal error: cannot bind to local control interface port {port}"
        raise FatalError(message) from None
    home.write_text("zerotier-one.port", str(port), 0o644)
    return serving


def _run(node: Node, stop: threading.Event) -> None:
    dataplane, errors, step = Dataplane(), PortErrors(), 0
    while not stop.is_set() and not node.collided:
        if step % _TICK_STEPS == 0:
            node.tick()
        errors.update(node.without_port)
        dataplane.apply(node.links())
        stop.wait(_STEP_SECONDS)
        step += 1


def _log(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
