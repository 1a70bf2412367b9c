"""The app's command line, run in this process."""

from collections.abc import Callable
from typing import NamedTuple


class Said(NamedTuple):
    """What a command ended with, and said."""

    status: int
    out: str
    err: str

    def error(self) -> str:
        """Return the one line that was written to standard error."""
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("server-monitoring: error: ")
        return self.err


App = Callable[..., Said]
