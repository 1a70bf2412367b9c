"""Live mode on consumers: at work, closed in, with the rights that it needs and no others."""

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from testinfra.host import Host

from tests.infra.listening import listeners, writable
from tests.infra.nodes import inventory, members

GROUPS = "consumers_*"
DATA = "/var/lib/server-monitoring"
LIVE = f"{DATA}/live"
TIMER = "server-monitoring-close.timer"
ALERTS, STATES = "topic-alerts", "topic-alert-state"


@pytest.fixture(scope="module", autouse=True)
def _is_live(pytestconfig: pytest.Config) -> None:
    if not members(pytestconfig.getoption("ansible_inventory"), "agents"):
        pytest.skip("no server is watched")


@pytest.fixture(scope="module")
def groups(node: str, pytestconfig: pytest.Config) -> list[str]:
    """Return the metric groups of the node."""
    found: dict[str, Any] = inventory(pytestconfig.getoption("ansible_inventory"))
    names = [name for name, group in found.items() if node in group.get("hosts", [])]
    return [n.removeprefix("consumers_") for n in names if n.startswith("consumers_")]


def services(groups: list[str]) -> dict[str, str]:
    """Return the services with their users."""
    consumers = {f"server-monitoring-live-consume-{g}.service": f"sm-live-{g}" for g in groups}
    return consumers | {f"server-monitoring-detect-{g}.service": f"sm-detect-{g}" for g in groups}


def shown(host: Host, unit: str, name: str) -> str:
    """Return a property of a unit as systemd shows it."""
    return str(host.check_output(f"systemctl show {unit} --property={name} --value"))


def wait_for(what: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def _is_another(host: Host, unit: str, before: str) -> bool:
    """Return whether a unit is active by another process."""
    pid, state = (shown(host, unit, name) for name in ("MainPID", "ActiveState"))
    return state == "active" and pid not in (before, "0")


def test_services_run_and_are_there_after_a_boot(host: Host, groups: list[str]) -> None:
    """Also the timer that closes days."""
    for unit in (*services(groups), TIMER):
        assert host.service(unit).is_enabled, unit
        assert host.service(unit).is_running, unit


def test_services_are_closed_in(host: Host, groups: list[str]) -> None:
    """Users that no other unit has, the folder of days to write in, and nothing that listens."""
    places = ["/etc", "/opt", "/var/lib", "/etc/server-monitoring", DATA, f"{DATA}/runs", LIVE]
    for unit, user in services(groups).items():
        pid = int(shown(host, unit, "MainPID"))
        assert host.check_output(f"ps -o user:40= -p {pid}").strip() == user
        assert host.user(user).shell == "/usr/sbin/nologin"
        assert writable(host, pid, places) == [LIVE]
        assert [s for s in listeners(host) if s.pid == pid] == []
        status = host.check_output(f"cat /proc/{pid}/status")
        assert re.search(r"^CapBnd:\s+0+$", status, re.MULTILINE)
        assert re.search(r"^Seccomp:\s+2$", status, re.MULTILINE)


def test_rows_are_their_consumer_s_and_days_are_shared(host: Host, groups: list[str]) -> None:
    """Analysis and books put their files beside them, and change none."""
    assert host.check_output(f"stat --format='%U %G %a' {LIVE}") == "root server-monitoring 1770"
    today = f"{LIVE}/{datetime.now(UTC):%Y-%m-%d}"
    wait_for(lambda: host.file(f"{today}/raw").is_directory)
    for folder in (today, f"{today}/raw"):
        assert host.check_output(f"stat --format='%G %a' {folder}") == "server-monitoring 1770"
    topics = host.check_output(f"stat --format='%U %a' {today}/raw/*").splitlines()
    assert set(topics) <= {f"sm-live-{group} 750" for group in groups}
    assert topics
    deeds = {f"cat {today}/raw/*/0.csv": True, f"touch {today}/raw/*/0.csv": False}
    for deed, works in deeds.items():
        done = host.run(
            f"runuser -u sm-analyze-{groups[0]} -- sh -c 'set -- {today}/raw/*; {deed}'"
        )
        assert (done.rc == 0) == works, deed


def test_a_killed_service_goes_on(host: Host, groups: list[str]) -> None:
    """By itself, and within seconds."""
    for unit in services(groups):
        before = shown(host, unit, "MainPID")
        host.check_output(f"kill -9 {before}")
        wait_for(partial(_is_another, host, unit, before))


def test_a_day_is_closed_by_its_unit(host: Host, groups: list[str]) -> None:
    """Today's, as far as it is: tables, summaries and books are there, whatever these say."""
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    wait_for(lambda: host.file(f"{LIVE}/{today}").is_directory)
    host.check_output(f"systemctl start sm-books@{today}.service")
    books = json.loads(host.file(f"{LIVE}/{today}/books.json").content_string)
    assert books["day"] == today
    assert sorted(books["windows"]) == sorted(groups)
    owners = host.check_output(f"stat --format='%U %a' {LIVE}/{today}/*.csv {LIVE}/{today}/*.json")
    assert set(owners.splitlines()) == {
        "sm-books 640",
        *(f"sm-analyze-{group} 640" for group in groups),
    }


def test_the_clock_s_unit_closes_and_removes_old_days(host: Host) -> None:
    """It may ask systemd, and remove what others own; a day that was not closed stays."""
    for day, is_closed in (("2001-01-01", True), ("2001-01-02", False)):
        folder = f"{LIVE}/{day}"
        host.check_output(f"install --directory --owner=nobody --mode=1770 {folder} {folder}/raw")
        if is_closed:
            host.check_output(f"install --owner=daemon /dev/null {folder}/books.json")
    host.run("systemctl start server-monitoring-close.service")
    assert not host.file(f"{LIVE}/2001-01-01").exists
    assert host.file(f"{LIVE}/2001-01-02").exists
    host.check_output(f"rm --recursive {LIVE}/2001-01-02")
    assert shown(host, "server-monitoring-close.service", "Result") == "success"


@pytest.fixture(scope="module")
def broker(pytestconfig: pytest.Config) -> Host:
    """Return testinfra's handle on the first broker's node."""
    from tests.infra.nodes import connect  # noqa: PLC0415

    path = pytestconfig.getoption("ansible_inventory")
    return connect(path, inventory(path)["kafka"]["hosts"][0])


def test_topics_of_alerts_are_as_declared(broker: Host, admin: str) -> None:
    """As many partitions as what detectors read, one of them compacted."""
    topics = f"/opt/kafka/bin/kafka-topics.sh {admin} --describe --topic"
    for topic, policy in ((ALERTS, "delete"), (STATES, "compact")):
        found = broker.check_output(f"{topics} {topic}")
        assert "PartitionCount: 3" in found
        assert f"cleanup.policy={policy}" in found


def test_acls_of_live_mode_are_as_declared(broker: Host, admin: str, groups: list[str]) -> None:
    """Rights of a detector and of books on the topics of alerts, and no other on these."""
    acls = f"/opt/kafka/bin/kafka-acls.sh {admin} --list"
    found = broker.check_output(f"{acls} --topic {ALERTS}")
    users = set(re.findall(r"principal=User:(\S+?)-[ab],", found))
    assert {"books", *(f"detect_{group}" for group in groups)} <= users
    assert not any(user.startswith(("agent_", "consumer_", "producer")) for user in users)
    group = groups[0]
    ids = f"server-monitoring-detect-{group}-"
    found = broker.check_output(f"{acls} --transactional-id {ids} --resource-pattern-type prefixed")
    assert set(re.findall(r"principal=User:(\S+?)-[ab],", found)) == {f"detect_{group}"}
