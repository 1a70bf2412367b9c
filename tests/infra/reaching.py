"""What a node reaches from its own side: TCP ports, and echo requests."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from testinfra.host import Host

from tests.support.project import PLUGINS

ICMP = PLUGINS / "module_utils/zerotier/icmp.py"
T = TypeVar("T")


def at_once(attempts: Sequence[Callable[[], T]]) -> list[T]:
    """Return what each of the attempts comes to, all of them made at the same time."""
    with ThreadPoolExecutor(len(attempts)) as pool:
        return [made.result() for made in [pool.submit(attempt) for attempt in attempts]]


def is_open(host: Host, address: str, port: int) -> bool:
    """Tell whether a TCP connection comes about; a busy machine gets time for it."""
    return _status(host, address, port, seconds=10) == 0


def is_dropped(host: Host, address: str, port: int) -> bool:
    """Tell whether there is no answer at all: neither a connection nor a refusal."""
    return _status(host, address, port, seconds=1) == 124


def _status(host: Host, address: str, port: int, seconds: int) -> int:
    """Return the exit status of an attempt to connect, 124 where it had no answer in time."""
    return int(host.run(f"timeout {seconds} bash -c '</dev/tcp/{address}/{port}'").rc)


def unreached(host: Host, source: str, targets: Sequence[str]) -> str:
    """Return the addresses that do not answer echo requests, as text: [] for none."""
    code = ICMP.read_text(encoding="utf-8")
    asked = f"print(unreached({source!r}, {list(targets)!r}, 5))"
    return str(host.check_output("python3 -c %s", f"{code}\n{asked}\n"))
