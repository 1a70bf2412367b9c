"""A consumer starts, is ready, is closed in, and stops cleanly; Spark stands beside it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from testinfra.host import Host

from tests.infra.listening import listeners, writable
from tests.infra.nodes import inventory

GROUPS = "consumers_*"
RUNS = "/var/lib/server-monitoring/runs"
RUN = "infra-check"


@dataclass(frozen=True)
class Consumer:
    """A running consumer: its unit, process id and user."""

    unit: str
    pid: int
    user: str


@pytest.fixture(scope="module")
def consumer(host: Host, node: str, pytestconfig: pytest.Config) -> Iterator[Consumer]:
    """Start a consumer of a run of its own, and remove what it made."""
    groups = inventory(pytestconfig.getoption("ansible_inventory"))
    group = next(
        name.removeprefix("consumers_")
        for name in groups
        if name.startswith("consumers_") and node in groups[name].get("hosts", [])
    )
    unit = f"server-monitoring-consume-{group}@{RUN}.service"
    forget(host, unit)  # of checks that were broken off
    host.check_output(
        f"install --directory --group=server-monitoring --mode=1770 {RUNS}/{RUN} {RUNS}/{RUN}/raw"
    )
    started = host.run(f"systemctl start {unit}")
    assert started.rc == 0, host.check_output(f"journalctl --unit={unit} --lines=20 --no-pager")
    pid = int(host.check_output(f"systemctl show {unit} --property=MainPID --value"))
    yield Consumer(unit, pid, f"sm-consume-{group}")
    forget(host, unit)


def forget(host: Host, unit: str) -> None:
    """Stop the consumer, and remove what it made."""
    host.run(f"systemctl stop {unit}; systemctl reset-failed {unit}")
    host.check_output(f"rm --recursive --force {RUNS}/{RUN}")


def test_consumer_is_ready_only_with_its_positions_on_disk(host: Host, consumer: Consumer) -> None:
    """When systemd calls the unit active, each partition has a segment and a sidecar."""
    assert host.check_output(f"systemctl is-active {consumer.unit}") == "active"
    for kind in ("csv", "json"):
        assert host.check_output(f"ls {RUNS}/{RUN}/raw/*/*.{kind} | wc -l") == "6"


def test_consumer_runs_as_a_user_without_login(host: Host, consumer: Consumer) -> None:
    """The process belongs to a user of its own, who has neither shell nor home."""
    assert host.check_output(f"stat --format=%U /proc/{consumer.pid}") == consumer.user
    user = host.user(consumer.user)
    assert (user.shell, user.home) == ("/usr/sbin/nologin", "/nonexistent")


def test_consumer_listens_nowhere(host: Host, consumer: Consumer) -> None:
    """Only the broker listens; a consumer opens no socket for others."""
    assert [s for s in listeners(host) if s.pid == consumer.pid] == []


def test_consumer_s_sandbox_is_really_in_effect(host: Host, consumer: Consumer) -> None:
    """Seen from the consumer even root writes to its run alone; no capability is left."""
    data, own = "/var/lib/server-monitoring", f"{RUNS}/{RUN}"
    paths = ["/", "/usr", "/etc", "/opt", "/var/log", data, RUNS, f"{data}/units", own]
    assert writable(host, consumer.pid, paths) == [own]
    status = host.check_output(f"cat /proc/{consumer.pid}/status")
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
    assert re.search(r"^CapBnd:\s+0+$", status, re.MULTILINE)
    assert re.search(r"^Seccomp:\s+2$", status, re.MULTILINE)


def test_consumer_stops_cleanly_when_told(host: Host, consumer: Consumer) -> None:
    """SIGTERM ends it with status 0, everything stored."""
    host.check_output(f"systemctl stop {consumer.unit}")
    shown = host.check_output(f"systemctl show {consumer.unit} --property=Result,ExecMainStatus")
    assert "Result=success" in shown
    assert "ExecMainStatus=0" in shown


def test_spark_is_the_pinned_version(host: Host) -> None:
    """Spark 4.3.0 on Java 17 or newer, from its own environment."""
    asked = "from importlib.metadata import version; print(version('pyspark'))"
    assert host.check_output("/opt/spark/bin/python -c %s", asked) == "4.3.0"
    major = re.search(r'version "(\d+)', host.run("java -version").stderr)
    assert major is not None
    assert int(major[1]) >= 17


def test_files_are_owned_and_closed(host: Host) -> None:
    """Programs and the folders of data are root's; the units' group reads the configuration."""
    for tree in ("/opt/server-monitoring", "/opt/spark"):
        assert host.check_output(f"find {tree} ! -user root -o -perm /022 ! -type l | head") == ""
    for name, mode in (("", 0o750), ("/runs", 0o750), ("/units", 0o750), ("/spark", 0o1770)):
        data = host.file(f"/var/lib/server-monitoring{name}")
        assert (data.user, data.group, data.mode) == ("root", "server-monitoring", mode)
    settings = host.file("/etc/server-monitoring/config.yml")
    assert (settings.user, settings.group, settings.mode) == ("root", "server-monitoring", 0o640)
    assert host.check_output("stat --format=%a /etc/server-monitoring") == "750"
