"""Who may use the brokers, and how little each service can touch, on every node."""

from typing import Any

import pytest
from testinfra.host import Host

from tests.infra.nodes import inventory, members

GROUPS = "all"
SETTINGS = "/etc/server-monitoring"
UNITS = "/etc/systemd/system"
# systemd's rating times ten: at most 1.5.
THRESHOLD = 15


@pytest.fixture(scope="module")
def groups(node: str, pytestconfig: pytest.Config) -> list[str]:
    """Return the inventory groups of the node."""
    found: dict[str, Any] = inventory(pytestconfig.getoption("ansible_inventory"))
    return [name for name, group in found.items() if node in group.get("hosts", [])]


def test_host_has_the_credentials_of_its_own_accounts_alone(
    host: Host,
    node: str,
    groups: list[str],
    pytestconfig: pytest.Config,
) -> None:
    """They are root's; a unit gets copies from systemd, also of a key to sign by."""
    path = pytestconfig.getoption("ansible_inventory")
    accounts = {"kafka": "operator", "producers": "producer", "agents": f"agent_{node}"}
    wanted = {
        accounts.get(name, name.replace("consumers_", "consumer_"))
        for name in groups
        if name in accounts or name.startswith("consumers_")
    }
    found = host.check_output(f"stat --format='%n %U %a' {SETTINGS}/credentials/*").splitlines()
    names = {f"{name}.json" for name in wanted}
    signed = inventory(path)["all"]["vars"].get("agent_signed", False)
    names |= {"signing.key"} if "agents" in groups and signed else set()
    consumed = [name.removeprefix("consumers_") for name in groups if name.startswith("consumers_")]
    if consumed and members(path, "agents"):
        names |= {"books.json", *(f"detect_{group}.json" for group in consumed)}
        names |= {"signing.json"} if signed else set()
    assert set(found) == {f"{SETTINGS}/credentials/{name} root 600" for name in names}
    assert host.check_output(f"stat --format='%U %a' {SETTINGS}/credentials") == "root 700"


def test_private_keys_are_the_brokers_alone(host: Host, groups: list[str]) -> None:
    """A broker has its own key, for itself and for root; the authority's is on no node."""
    keys = "grep --recursive --files-with-matches --text 'PRIVATE KEY' /etc /opt/kafka /var/lib"
    own = host.run(f"{keys} --include='*.pem' --include='*.key' | grep -v '^/etc/ssl/private/'")
    found = own.stdout.split()
    shown = {host.check_output(f"stat --format='%n %U %a' {path}") for path in found}
    wanted = {f"{SETTINGS}/pki/key.pem root 600", "/etc/kafka/broker.pem kafka 600"}
    assert shown == (wanted if "kafka" in groups else set())


def test_other_local_users_read_no_secret(host: Host) -> None:
    """Not the credentials, the key, the settings, or the data: each is refused to `nobody`."""
    closed = f"{SETTINGS} /etc/kafka/*.properties /etc/kafka/broker.pem /var/lib/kafka"
    closed = host.check_output(f"ls --directory {closed} /var/lib/server-monitoring 2>&- || true")
    assert SETTINGS in closed.split()
    for path in closed.split():
        reader = "ls" if host.file(path).is_directory else "cat"
        refused = host.run(f"runuser -u nobody -- {reader} {path}")
        assert "Permission denied" in refused.stderr, path


def test_exposure_of_each_unit_is_low(host: Host) -> None:
    """As the node's own systemd rates the units that are installed."""
    units = host.check_output(
        f"cd {UNITS}; ls -d kafka.service server-monitoring-*.service sm-*@.service 2>&- || true"
    )
    assert units
    for unit in units.split():
        rated = host.run(
            f"systemd-analyze security --no-pager --threshold={THRESHOLD} "
            f"{unit.replace('@.', '@check.')}"
        )
        assert "Overall exposure level" in rated.stdout, rated.stderr
        assert rated.rc == 0, rated.stdout[-200:]


def test_no_service_has_a_home_for_a_key(host: Host, groups: list[str]) -> None:
    """An ssh key would open a tunnel to the broker from outside; there is nowhere to leave one."""
    listed = host.check_output("getent passwd").splitlines()
    users = [line.split(":") for line in listed if line.startswith(("sm-", "kafka:"))]
    assert users or not {"kafka", "producers", "agents"}.intersection(groups)
    assert {(home, shell) for *_, home, shell in users} <= {("/nonexistent", "/usr/sbin/nologin")}
    assert not host.file("/nonexistent").exists
    assert not host.user("server-monitoring").exists
