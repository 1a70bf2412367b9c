"""Something that goes on on a node beside a test, such as kills."""

import threading
from collections.abc import Callable

from tests.support.playbooks import on


def in_background(host: str, script: str) -> Callable[[], str]:
    """Run a script on a node beside the test; the function returned waits for what it prints."""
    printed: list[str] = []
    thread = threading.Thread(target=lambda: printed.append(on(host, script)))
    thread.start()

    def finish() -> str:
        thread.join(timeout=180)
        return printed[0]

    return finish


def kill(process: str, when: str = "true", times: int = 1) -> str:
    """Return a script that sends SIGKILL to `process`, `times` times, once `when` succeeds.

    It waits at most a minute for `when` and two for the process, and prints how often it killed.
    """
    # The brackets keep the pattern from matching the shell that holds it.
    pattern = f"[{process[0]}]{process[1:]}"
    return (
        f"n=0; for i in $(seq 1200); do {when} && break; sleep 0.05; done; "
        f"for i in $(seq 1200); do pkill -KILL -f '{pattern}' && n=$((n+1)); "
        f"[ $n -ge {times} ] && break; sleep 0.1; done; echo $n"
    )
