"""Brokers of the lab whose disk may be filled, and whose clock may be moved.

`prepared` gives each broker a small disk with what was on its own, and libfaketime; both need a
restart. The disk is in memory: a node that goes away meanwhile has its old one again.
"""

import contextlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from tests.pipeline.brokers import wait_until_whole
from tests.pipeline.fault_plan import CLOCK, DISK, Lab
from tests.pipeline.outages import own_clock, set_clock
from tests.support.playbooks import on

DATA = "/var/lib/kafka/data"
ROOM = "2g"
_ASIDE = "/mnt"
# By itself: what is mounted on the one would be so on the other.
_SET_ASIDE = f"mount --bind {DATA} {_ASIDE}; mount --make-private {_ASIDE}"
_TO_SMALL_DISK = f"""
set -e
{_SET_ASIDE}
mount -t tmpfs -o size={ROOM},mode=0750,uid=$(id -u kafka),gid=$(id -g kafka) tmpfs {DATA}
cp --archive {_ASIDE}/. {DATA}/
umount {_ASIDE}
"""
_TO_OWN_DISK = f"""
set -e
{_SET_ASIDE}
umount {DATA}
find {DATA} -mindepth 1 -delete
cp --archive {_ASIDE}/. {DATA}/
umount {_ASIDE}
"""
# A file system is not made smaller than what it holds, which changes until the broker has halted.
_FILL = f"""
pid=$(systemctl show --property=MainPID --value kafka)
for i in $(seq 300); do
    used=$(df --output=used --block-size=1 {DATA} | tail --lines=1)
    mount -o remount,size=$used {DATA} 2>&- || true
    [ "$(systemctl show --property=MainPID --value kafka)" = "$pid" ] || exec echo halted
    sleep 0.1
done
"""


@contextmanager
def prepared(lab: Lab, kinds: Collection[str]) -> Iterator[None]:
    """Prepare each broker, one after the other, for those of the kinds that need it."""
    with contextlib.ExitStack() as until:
        if len(lab.brokers) > 1 and {CLOCK, DISK} & set(kinds):
            for node in lab.brokers:
                until.enter_context(_prepared(lab, node, kinds))
        yield


@contextmanager
def _prepared(lab: Lab, node: str, kinds: Collection[str]) -> Iterator[None]:
    undo = contextlib.ExitStack()
    with _stopped(lab, node):
        if CLOCK in kinds:
            undo.enter_context(own_clock(node, "kafka"))
        if DISK in kinds:
            on(node, _TO_SMALL_DISK)
            undo.callback(on, node, _TO_OWN_DISK)
    try:
        yield
    finally:
        with _stopped(lab, node):
            undo.close()


@contextmanager
def _stopped(lab: Lab, node: str) -> Iterator[None]:
    """Stop a broker for a moment, and wait until the cluster is whole again."""
    on(node, "systemctl stop kafka")
    try:
        yield
    finally:
        on(node, "systemctl start kafka")
    wait_until_whole(lab)


@contextmanager
def full_disk(node: str) -> Iterator[None]:
    """Leave no room on a broker's disk, which makes Kafka halt."""
    try:
        assert on(node, _FILL) == "halted", f"{node}: Kafka goes on with a full disk"
        yield
    finally:
        on(node, f"mount -o remount,size={ROOM} {DATA}")


@contextmanager
def clock_apart(node: str, hours: int) -> Iterator[None]:
    """Let a broker see a time that is hours before or after the true one."""
    set_clock(node, f"{hours:+d}h")
    try:
        yield
    finally:
        set_clock(node, "+0")
