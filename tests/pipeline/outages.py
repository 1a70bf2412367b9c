"""What may fail besides processes: the overlay, a disk, and the clock that a service sees."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from tests.pipeline.disturbed import Running
from tests.pipeline.runs import RUNS
from tests.pipeline.units import producer
from tests.support.playbooks import AS_ROOT, on

PODMAN = [*AS_ROOT, "podman", "--runtime=runc"]
CLOCK = "/run/server-monitoring-clock"
LIBRARY = "/usr/local/lib/libfaketime.so.1"
# Whose clock may jump: the consumer of cpu_mem.
CONSUMER = "server-monitoring-consume-cpu_mem@"


def cut_off_the_broker(running: Running, seconds: int) -> None:
    """Let nobody reach the broker for some seconds, while rows are still to be sent."""
    assert not producer("producer-1", running.id).done(), "all rows were sent before"
    with overlay_cut("kafka-1", "172.29.0.1"):
        time.sleep(seconds)


def fill_and_jump(running: Running) -> None:
    """Let consumer-2 wait for space on its small disk while consumer-1's own clock jumps."""
    set_clock("consumer-1", "+3d")
    status = "systemctl show --property=StatusText server-monitoring-consume-net_disk@"
    full = f"{status}{running.id}"
    running.until("it is full", lambda: "waiting for space" in on("consumer-2", full))
    set_clock("consumer-1", "-1d")
    time.sleep(3)
    free_disk("consumer-2")


def assert_jumped(run_id: str) -> None:
    """Assert that the consumer of cpu_mem ended by a clock that is a day behind."""
    facts = json.loads(on("consumer-1", f"cat {RUNS}/{run_id}/consume-cpu_mem.json"))
    ended = datetime.fromisoformat(facts["ended"])
    assert datetime.now(UTC) - ended > timedelta(hours=12), "no clock jumped"


@contextmanager
def overlay_cut(node: str, address: str, peer: str = "") -> Iterator[None]:
    """Drop all that a node gets or sends over the overlay, where it has `address`.

    With the address of a `peer`, only what comes from there and goes there.
    """
    interface = next(
        link["ifname"]
        for link in json.loads(on(node, "ip -json address"))
        if any(found["local"] == address for found in link["addr_info"])
    )
    _filter(node, "add table inet cut")
    try:
        for hook, direction, end in (("input", "iifname", "saddr"), ("output", "oifname", "daddr")):
            only = f"ip {end} {peer}" if peer else ""
            _filter(node, f"add chain inet cut {hook} {{ type filter hook {hook} priority -10; }}")
            _filter(node, f"add rule inet cut {hook} {direction} {interface} {only} drop")
        yield
    finally:
        _filter(node, "delete table inet cut")


def _filter(node: str, command: str) -> None:
    """Run a command of nftables, which is this machine's, in a node's network."""
    pid = _output(*PODMAN, "inspect", "--format={{.State.Pid}}", node)
    enter = [*AS_ROOT, "nsenter", f"--net=/proc/{pid}/ns/net"]
    subprocess.run([*enter, "nft", command], check=True)


@contextmanager
def small_disk(node: str, size: str = "600k") -> Iterator[None]:
    """Give a node a disk for its runs that one run fills."""
    owner = "uid=0,gid=$(getent group server-monitoring | cut --delimiter=: --fields=3)"
    on(node, f"mount -t tmpfs -o size={size},mode=0750,{owner} tmpfs {RUNS}")
    try:
        yield
    finally:
        on(node, f"umount {RUNS}")


def free_disk(node: str) -> None:
    """Make room on the small disk."""
    on(node, f"mount -o remount,size=200m {RUNS}")


@contextmanager
def own_clock(node: str, unit: str) -> Iterator[None]:
    """Let a unit that starts from now on see the time that `set_clock` says, by libfaketime.

    Not for the producer: libfaketime distorts the waits between its threads. Where the library
    itself ends the process, with status 1 before Python's first line, systemd starts it again.
    """
    files = _output("dpkg", "--listfiles", "libfaketime").splitlines()
    [library] = [path for path in files if path.endswith("/libfaketime.so.1")]
    settings = (
        f"[Service]\\nEnvironment=LD_PRELOAD={LIBRARY} FAKETIME_TIMESTAMP_FILE={CLOCK} "
        # The first of the last two alone lets all threads of Java spin that wait for a while.
        "FAKETIME_CACHE_DURATION=1 FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_FORCE_MONOTONIC_FIX=0\\n"
        "RestartPreventExitStatus=\\n"
    )
    folder = f"/run/systemd/system/{unit}.service.d"
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
