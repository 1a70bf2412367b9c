"""Something that goes on on a node beside a test."""

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
