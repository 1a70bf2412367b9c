"""A consumer that was broken into: what its user tries in its sandbox, and where that does work.

Each attack is made where it is to fail, and then where its wall is missing: there it succeeds, so
that it is the wall that stops it.
"""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from testinfra.host import Host

from tests.infra.nodes import inventory, members

GROUPS = "consumers_*"
DATA = "/var/lib/server-monitoring"
LIVE = f"{DATA}/live"
RUN = "walls-check"
OWN = f"{DATA}/runs/{RUN}"
CREDENTIALS = "/etc/server-monitoring/credentials"


@dataclass(frozen=True)
class Intruder:
    """Who has the consumer of a metric group: its user, in its sandbox."""

    host: Host
    group: str
    pid: int
    command: str = "consume"

    @property
    def user(self) -> str:
        """The consumer's user."""
        return f"sm-{self.command}-{self.group}"

    def does(self, deed: str) -> bool:
        """Tell whether a shell command of the consumer's user succeeds."""
        enter = f"nsenter --target={self.pid} --mount"
        become = f"setpriv --reuid={self.user} --regid=server-monitoring --clear-groups"
        shell = f"{enter} {become} --no-new-privs timeout 10 sh -c {shlex.quote(deed)}"
        return bool(self.host.run(shell).rc == 0)


@pytest.fixture(scope="module")
def intruder(host: Host, node: str, pytestconfig: pytest.Config) -> Iterator[Intruder]:
    """Start a consumer to break into, and remove what it made."""
    groups = inventory(pytestconfig.getoption("ansible_inventory"))
    names = [name for name in groups if node in groups[name].get("hosts", [])]
    group = next(n.removeprefix("consumers_") for n in names if n.startswith("consumers_"))
    unit = f"server-monitoring-consume-{group}@{RUN}.service"
    host.check_output(f"rm --recursive --force {OWN}")
    mode = "--group=server-monitoring --mode=1770"
    host.check_output(f"install --directory {mode} {OWN} {OWN}/raw")
    host.check_output(f"systemctl start {unit}")
    pid = int(host.check_output(f"systemctl show {unit} --property=MainPID --value"))
    yield Intruder(host, group, pid)
    host.run(f"systemctl stop {unit}")
    host.check_output(f"rm --recursive --force {OWN}")


@contextmanager
def beside(host: Host, user: str, *properties: str) -> Iterator[int]:
    """Run a process of a user outside of the sandbox, and yield its id."""
    unit = "walls-check.service"
    given = " ".join(f"--property={each}" for each in (f"User={user}", *properties))
    host.check_output(f"systemd-run --quiet --collect --unit={unit} {given} sleep 60")
    try:
        yield int(host.check_output(f"systemctl show {unit} --property=MainPID --value"))
    finally:
        host.run(f"systemctl stop {unit}")


def test_it_turns_no_folder_that_root_goes_through(intruder: Intruder) -> None:
    """Neither that of all runs, nor its run's own; only a folder that is its own."""
    turn = "mv {0} {0}.old && ln -s /etc {0}"
    for path in (f"{DATA}/runs", OWN, f"{OWN}/raw", f"{DATA}/spark", f"{DATA}/units"):
        assert not intruder.does(turn.format(path)), path
    assert intruder.does(f"mkdir -p {OWN}/own/runs && {turn.format(f'{OWN}/own/runs')}")


def test_it_puts_no_pipe_where_systemd_reads(intruder: Intruder) -> None:
    """Systemd would wait for it for ever, and no unit of the node would start or stop."""
    units = f"{DATA}/units/{RUN}"
    assert not intruder.does(f"mkdir -p {units}; mkfifo {units}/produce.env")
    assert intruder.does(f"mkfifo {OWN}/produce.env")


def test_it_reaches_through_no_process_out_of_its_sandbox(intruder: Intruder) -> None:
    """What plays try runs as a user that no unit has; one of its own would let it out."""
    out = "touch /proc/{0}/root/var/tmp/out && rm /proc/{0}/root/var/tmp/out"
    assert not intruder.does("touch /var/lib/out /etc/out")
    for user, reached in (("sm-check", False), (f"sm-analyze-{intruder.group}", False)):
        with beside(intruder.host, user) as pid:
            assert intruder.does(out.format(pid)) == reached, user
    with beside(intruder.host, intruder.user) as pid:
        assert intruder.does(out.format(pid))


def test_it_reads_the_credentials_of_no_other_role(intruder: Intruder) -> None:
    """Not root's files, and not what systemd gave to a unit with another user."""
    source = f"{CREDENTIALS}/consumer_{intruder.group}.json"
    loaded = f"LoadCredential=kafka.json:{source}"
    read = "cat /proc/{}/root/run/credentials/walls-check.service/kafka.json"
    assert not intruder.does(f"cat {source}")
    with beside(intruder.host, f"sm-analyze-{intruder.group}", loaded) as pid:
        assert not intruder.does(read.format(pid))
    with beside(intruder.host, intruder.user, loaded) as pid:
        assert intruder.does(read.format(pid))


def test_it_replaces_nothing_of_root_s_in_its_run(intruder: Intruder) -> None:
    """Its own files it may; the run's settings stay, in whatever way it tries."""
    intruder.host.check_output(f"install --mode=640 /dev/null {OWN}/config.yml")
    for deed in ("rm {0}", "mv {0} {0}.old", "ln -sf /etc/shadow {0}", "echo >> {0}"):
        assert not intruder.does(deed.format(f"{OWN}/config.yml")), deed
    assert intruder.does(f"touch {OWN}/own.json && ln -sf /etc/shadow {OWN}/own.json")


@pytest.fixture(params=["live", "detect"])
def watcher(
    request: pytest.FixtureRequest, intruder: Intruder, pytestconfig: pytest.Config
) -> Intruder:
    """Return who has the live consumer of the same group, or its detector."""
    if not members(pytestconfig.getoption("ansible_inventory"), "agents"):
        pytest.skip("no server is watched")
    what = {"live": "live-consume", "detect": "detect"}[request.param]
    unit = f"server-monitoring-{what}-{intruder.group}.service"
    pid = int(intruder.host.check_output(f"systemctl show {unit} --property=MainPID --value"))
    assert pid
    return Intruder(intruder.host, intruder.group, pid, request.param)


def test_live_mode_turns_no_folder_that_root_goes_through(watcher: Intruder) -> None:
    """Nor any of a run's; a folder of its own it may."""
    turn = "mv {0} {0}.old && ln -s /etc {0}"
    for path in (DATA, LIVE, f"{LIVE}/offsets", f"{DATA}/runs", OWN, f"{DATA}/units"):
        assert not watcher.does(turn.format(path)), path
    assert not watcher.does(f"touch {OWN}/own.json")
    assert watcher.does(f"mkdir {LIVE}/own && {turn.format(f'{LIVE}/own')} && rm -r {LIVE}/own*")


def test_live_mode_reads_the_credentials_of_no_other_role(watcher: Intruder) -> None:
    """Neither root's files, nor those of a unit of another user; the keys of servers neither."""
    for name in ("books", f"consumer_{watcher.group}", f"detect_{watcher.group}"):
        assert not watcher.does(f"cat {CREDENTIALS}/{name}.json"), name
    assert not watcher.does(f"cat {CREDENTIALS}/signing.json")
    loaded = f"LoadCredential=kafka.json:{CREDENTIALS}/books.json"
    read = "cat /proc/{}/root/run/credentials/walls-check.service/kafka.json"
    for user, reached in (("sm-books", False), (watcher.user, True)):
        with beside(watcher.host, user, loaded) as pid:
            assert watcher.does(read.format(pid)) == reached, user


def test_rows_and_journals_are_changed_by_their_consumer_alone(watcher: Intruder) -> None:
    """Who reads them in the group does not."""
    for files in (f"{LIVE}/????-??-??/raw/*/*.csv", f"{LIVE}/offsets/*/*.json"):
        assert watcher.does(f"set -- {files}; cat $1"), files
        assert watcher.does(f"set -- {files}; touch $1") == (watcher.command == "live"), files
