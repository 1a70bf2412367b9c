"""What may fail besides processes: the overlay, a disk, and the clock that a service sees."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.pipeline.runs import RUNS
from tests.support.playbooks import AS_ROOT, on

PODMAN = [*AS_ROOT, "podman", "--runtime=runc"]
CLOCK = "/run/server-monitoring-clock"
LIBRARY = "/usr/local/lib/libfaketime.so.1"


@contextmanager
def overlay_cut(node: str, address: str) -> Iterator[None]:
    """Drop all that a node gets or sends over the overlay, where it has `address`."""
    interface = next(
        link["ifname"]
        for link in json.loads(on(node, "ip -json address"))
        if any(found["local"] == address for found in link["addr_info"])
    )
    _filter(node, "add table inet cut")
    try:
        for hook, direction in (("input", "iifname"), ("output", "oifname")):
            _filter(node, f"add chain inet cut {hook} {{ type filter hook {hook} priority -10; }}")
            _filter(node, f"add rule inet cut {hook} {direction} {interface} drop")
        yield
    finally:
        _filter(node, "delete table inet cut")


def _filter(node: str, command: str) -> None:
    """Run a command of nftables, which is this machine's, in a node's network."""
    pid = _output(*PODMAN, "inspect", "--format={{.State.Pid}}", node)
    enter = [*AS_ROOT, "nsenter", f"--net=/proc/{pid}/ns/net"]
    subprocess.run([*enter, "nft", command], check=True)


@contextmanager
def small_disk(node: str) -> Iterator[None]:
    """Give a node a disk for its runs that one run fills."""
    owner = "uid=$(id -u server-monitoring),gid=$(id -g server-monitoring)"
    on(node, f"mount -t tmpfs -o size=600k,mode=0750,{owner} tmpfs {RUNS}")
    try:
        yield
    finally:
        on(node, f"umount {RUNS}")


def free_disk(node: str) -> None:
    """Make room on the small disk."""
    on(node, f"mount -o remount,size=200m {RUNS}")


@contextmanager
def own_clock(node: str, service: str) -> Iterator[None]:
    """Let a service see the time that `set_clock` says, by libfaketime.

    Not for the producer: libfaketime distorts the waits between its threads.
    """
    files = _output("dpkg", "--listfiles", "libfaketime").splitlines()
    [library] = [path for path in files if path.endswith("/libfaketime.so.1")]
    settings = (
        f"[Service]\\nEnvironment=LD_PRELOAD={LIBRARY} FAKETIME_TIMESTAMP_FILE={CLOCK} "
        "FAKETIME_CACHE_DURATION=1 FAKETIME_DONT_FAKE_MONOTONIC=1\\n"
    )
    folder = f"/run/systemd/system/server-monitoring-{service}@.service.d"
    set_clock(node, "+0")
    try:
        subprocess.run([*PODMAN, "cp", library, f"{node}:{LIBRARY}"], check=True)
        on(node, f"mkdir -p {folder} && printf '{settings}' > {folder}/clock.conf")
        on(node, "systemctl daemon-reload")
        yield
    finally:
        on(node, f"rm -rf {folder} {LIBRARY} {CLOCK} && systemctl daemon-reload")


def set_clock(node: str, offset: str) -> None:
    """Set the clock to the true time and `offset`, such as -1d or +3d."""
    on(node, f"echo {offset} > {CLOCK}.new && mv {CLOCK}.new {CLOCK}")


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
