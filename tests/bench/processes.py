"""Processes with their peak memory and the time they took."""

import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

_SAMPLE_SECONDS = 0.05
_KIB_PER_MIB = 1024


class ProcessFailedError(Exception):
    """A measured process failed, or did not do in time what was waited for."""

    def __init__(self, command: Sequence[str], reason: str) -> None:
        """Name the command and the reason."""
        super().__init__(f"{' '.join(command)}: {reason}")


def peak_mib(pid: int) -> float:
    """Return the most memory that a process has held so far (VmHWM), in MiB; 0 where it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0
    lines = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(lines[0].split()[1]) / _KIB_PER_MIB if lines else 0.0


class Watched:
    """A process whose standard error is read line by line and whose memory is looked at."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path | None = None
    ) -> None:
        """Start it in a folder."""
        self.command = list(command)
        self.began = time.monotonic()
        self.ended: float | None = None
        self.peak = 0.0
        self._out: list[str] = []
        self.lines: list[tuple[float, str]] = []
        self._process = subprocess.Popen(
            self.command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(environment),
            cwd=folder,
        )
        self._told = threading.Condition()
        self._threads = [threading.Thread(target=self._look, daemon=True)]
        for stream, take in ((self._process.stdout, self._put), (self._process.stderr, self._say)):
            assert stream is not None
            self._threads.append(threading.Thread(target=_each, args=(stream, take), daemon=True))
        for thread in self._threads:
            thread.start()

    def _look(self) -> None:
        while self.ended is None:
            self.peak = max(self.peak, peak_mib(self._process.pid))
            try:
                self._process.wait(_SAMPLE_SECONDS)
                self.ended = time.monotonic()
            except subprocess.TimeoutExpired:
                continue
        with self._told:
            self._told.notify_all()

    def _put(self, line: str) -> None:
        self._out.append(line)

    @property
    def out(self) -> str:
        """Return what it said on standard output so far."""
        return "".join(self._out)

    def _say(self, line: str) -> None:
        with self._told:
            self.lines.append((time.monotonic(), line))
            self._told.notify_all()

    def moment(self, start: str, timeout: float = 60) -> float:
        """Return the monotonic time at which a line that begins with `start` was first said.

        Raises:
            ProcessFailedError: it ended, or the time is over, without that line.

        """

        def found() -> float | None:
            return next((at for at, line in self.lines if line.startswith(start)), None)

        with self._told:
            self._told.wait_for(lambda: found() or self.ended, timeout)
            moment = found()
        if moment is None:
            raise ProcessFailedError(self.command, f"did not say {start!r}: {self.errors()}")
        return moment

    def errors(self) -> str:
        """Return the end of what it said on standard error."""
        return "".join(line for _, line in self.lines)[-2000:]

    @property
    def pid(self) -> int:
        """Return its number."""
        return self._process.pid

    def running(self) -> bool:
        """Return whether it runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def end(self) -> None:
        """End it at once, and wait until it is gone."""
        self.kill()
        self._process.wait()

    def wait(self, timeout: float) -> float:
        """Wait for its end, and return the seconds that it ran.

        Raises:
            ProcessFailedError: it failed, or did not end in time.

        """
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise ProcessFailedError(self.command, f"not over after {timeout} s") from error
        for thread in self._threads:
            thread.join()
        if status:
            raise ProcessFailedError(self.command, f"status {status}: {self.errors()}")
        assert self.ended is not None
        return self.ended - self.began


def _each(stream: IO[str], take: Callable[[str], None]) -> None:
    with stream:
        for line in stream:
            take(line)
