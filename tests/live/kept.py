"""Processes that are started again whenever they end, as systemd keeps the units of live mode."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

RESTART_SECONDS = 1.0
PATIENCE_SECONDS = 60


class Kept:
    """A process that runs until it is stopped, whatever it ends with meanwhile.

    Attributes:
        statuses: with which it ended by itself, and was started again.
        away: from when to when it did not run, in seconds since 1970.

    """

    def __init__(self, name: str, command: Sequence[str], log: Path) -> None:
        """Keep `command`, whose output is added to `log`."""
        self.name = name
        self.statuses: list[int] = []
        self.away: list[tuple[float, float]] = []
        self._command = list(command)
        self._log = log
        self._lock = threading.Lock()
        self._ended: float | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, also once it was ended."""
        self._stopping = threading.Event()
        self._process = self._begin()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def kill(self) -> None:
        """End it at once; it is started again a moment later."""
        assert self._process is not None
        self._process.kill()

    def stop(self) -> None:
        """End it in order; it stays so."""
        status = self._end(signal.SIGTERM)
        assert status == 0, f"{self.name}: {status}, {self.said()[-2000:]}"

    def abort(self) -> str:
        """End it at once; it stays so. Return where it stood, and the end of what it said."""
        if self._process is not None:
            self._end(signal.SIGABRT)
        return f"{self.name}: {self.said()[-4000:]}"

    def end(self) -> None:
        """End it at once; it stays so."""
        if self._process is not None:
            self._end(signal.SIGKILL)

    def said(self) -> str:
        """Return what it said since its first start."""
        return self._log.read_text(encoding="utf-8")

    def _begin(self) -> subprocess.Popen[bytes]:
        environment = {k: v for k, v in os.environ.items() if k != "NOTIFY_SOCKET"}
        environment["PYTHONFAULTHANDLER"] = "1"
        if self._ended is not None:
            self.away.append((self._ended, time.time()))
        with self._log.open("ab") as log:
            return subprocess.Popen(self._command, stdout=log, stderr=log, env=environment)

    def _keep(self) -> None:
        while self._process is not None:
            status = self._process.wait()
            self._ended = time.time()
            if status != -signal.SIGKILL and not self._stopping.is_set():
                self.statuses.append(status)
            self._stopping.wait(RESTART_SECONDS)
            with self._lock:
                if self._stopping.is_set():
                    return
                self._process = self._begin()

    def _end(self, number: signal.Signals) -> int:
        with self._lock:
            self._stopping.set()
            process = self._process
        assert process is not None
        process.send_signal(number)
        try:
            return process.wait(PATIENCE_SECONDS)
        finally:
            process.kill()
            self._keeper.join()
