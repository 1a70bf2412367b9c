"""One line that shows how far a step is, in place on a terminal."""

import os
import shutil
import sys
import time

from ..plugin_utils.unit_action import tell

# Tests, whose units end at once, look more often.
POLL_SECONDS = float(os.environ.get("SERVER_MONITORING_POLL_SECONDS", "1"))
LINE_SECONDS = 5 * POLL_SECONDS

# Ansible imports this in its main process first, whose workers have no terminal of their own.
ON_TERMINAL = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
WIDTH = shutil.get_terminal_size().columns - 1
if hasattr(sys.stdout, "reconfigure"):
    # Otherwise a pipe would get the lines when the task is over.
    sys.stdout.reconfigure(line_buffering=True)


class Screen:
    """The line: in place on a terminal, else a plain one at most every few seconds."""

    def __init__(self) -> None:
        """Start without a line."""
        self._next = 0.0
        self._last = ""

    def show(self, text: str) -> None:
        """Show the line as it stands now."""
        if ON_TERMINAL:
            tell(f"\r{text}\x1b[K", newline=False, screen_only=True)
        elif text != self._last and time.monotonic() >= self._next:
            tell(text)
            self._next = time.monotonic() + LINE_SECONDS
            self._last = text

    def close(self, text: str) -> None:
        """Show the line for the last time, and leave the next one to Ansible."""
        tell(f"\r{text}\x1b[K" if ON_TERMINAL else text)
