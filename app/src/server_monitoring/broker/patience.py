"""Wait for a broker that does not answer, within one process, then try again."""

import time
from collections.abc import Callable
from typing import TypeVar

from server_monitoring.errors import CredentialsError, UnreachableError

PAUSE_SECONDS = 1.0
T = TypeVar("T")


def never() -> bool:
    """Return False, for a command that a signal ends at once: it is never asked to stop."""
    return False


class Patience:
    """The waits of one command: each lasts at most as long as the broker may be away."""

    def __init__(
        self,
        timeout: float,
        tell: Callable[[float, object], object],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """Wait at most `timeout` seconds, and `tell` how many are left, and why."""
        self._timeout = timeout
        self._tell = tell
        self._clock = clock
        self._sleep = sleep
        self._since: float | None = None

    def answered(self) -> None:
        """Note within an attempt that the broker answers: the next wait begins when it fails."""
        self._since = None

    def retry(self, attempt: Callable[[], T], stopping: Callable[[], bool] = never) -> T:
        """Return what `attempt` returns; wait and call it again as long as nobody answers.

        The seconds count from the first attempt that got no answer.

        Raises:
            UnreachableError: that of the last attempt, once the time is used up or `stopping()`.
            CredentialsError: at once, as this process has no others.

        """
        while True:
            if self._since is None:
                self._since = self._clock()
            try:
                result = attempt()
            except CredentialsError:
                raise
            except UnreachableError as error:
                self._wait(error, stopping)
            else:
                self._since = None
                return result

    def _wait(self, error: UnreachableError, stopping: Callable[[], bool]) -> None:
        now = self._clock()
        self._since = now if self._since is None else self._since
        left = self._timeout - (now - self._since)
        if left <= 0 or stopping():
            raise error
        self._tell(left, error)
        self._sleep(min(PAUSE_SECONDS, left))
