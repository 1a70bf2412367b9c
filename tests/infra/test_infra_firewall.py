"""Each node takes from the network what it needs: seen from the others, beside what is let in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from testinfra.host import Host

from tests.infra.nodes import connect, inventory, members
from tests.infra.reaching import at_once, is_dropped, is_open, unreached
from tests.support.playbooks import Result, play

GROUPS = "all"
UNIT = "server-monitoring-firewall.service"
# A service that nobody has any business with, on all addresses of the node.
STRAY = 18080
CLIENTS, CONTROLLER, BROKER = 9092, 9093, 9094


@dataclass(frozen=True)
class Other:
    """Another node: its name, its address on the overlay, and a handle on it."""

    name: str
    address: str
    host: Host


@pytest.fixture(scope="module")
def others(node: str, pytestconfig: pytest.Config) -> list[Other]:
    """Return the other nodes, in the inventory's order from this one on."""
    path = pytestconfig.getoption("ansible_inventory")
    found = inventory(path)["_meta"]["hostvars"]
    names = [*found]
    start = names.index(node)
    return [
        Other(name, found[name]["zerotier_ip"], connect(path, name))
        for name in names[start + 1 :] + names[:start]
    ]


@pytest.fixture(scope="module")
def stray(host: Host, variables: dict[str, Any]) -> Iterator[int]:
    """Let a service listen on the node that the firewall does not know, and return its port."""
    host.run("systemctl stop stray")  # of checks that were broken off
    host.check_output(f"systemd-run --unit=stray --collect python3 -m http.server {STRAY}")
    ready = f"</dev/tcp/{variables['zerotier_ip']}/{STRAY}"
    host.check_output(f"timeout 20 bash -c 'until ({ready}) 2>/dev/null; do sleep 0.2; done'")
    yield STRAY
    host.check_output("systemctl stop stray")


def underlay(host: Host) -> str:
    """Return the address by which the node goes to the world."""
    route = host.check_output("ip -4 route get 198.51.100.1")
    found = re.search(r" src (\S+)", route)
    assert found, route
    return found[1]


def dropped(host: Host, where: str) -> int:
    """Return how many packets the node dropped on the overlay or on the underlay."""
    counter = host.check_output(f"nft list counter inet server_monitoring {where}_dropped")
    found = re.search(r"packets (\d+)", counter)
    assert found, counter
    return int(found[1])


def test_rules_are_loaded_now_and_after_a_boot(host: Host) -> None:
    """Our unit is enabled and has loaded its table; the distribution's is as it came, off."""
    assert host.service(UNIT).is_enabled
    assert host.service(UNIT).is_running
    assert host.check_output("nft list tables | grep --count 'inet server_monitoring$'") == "1"
    assert not host.service("nftables").is_enabled
    kept = host.file("/etc/server-monitoring/firewall.nft")
    assert (kept.user, kept.mode) == ("root", 0o600)


def test_health_says_when_rules_are_not_loaded(host: Host, pytestconfig: pytest.Config) -> None:
    """Also when something else took a rule out; with the unit started again all is well."""
    path, name = pytestconfig.getoption("ansible_inventory"), host.check_output("hostname")

    def health() -> Result:
        return play("playbooks/health.yml", "--limit", name, inventory=path)

    said = "no table inet server_monitoring in the kernel"
    try:
        host.check_output("nft delete table inet server_monitoring")
        found = health()
        assert found.status != 0
        assert found.says(f"{name}: packet filter: found {said}"), found.tail()
    finally:
        host.check_output(f"systemctl restart {UNIT}")
    well = health()
    assert well.status == 0, well.tail()


def test_unit_loads_its_table_and_leaves_others_alone(host: Host) -> None:
    """What a restart and a reload make is what was there; a table of somebody else's stays."""
    listing = "nft --stateless list table inet server_monitoring"
    before = host.check_output(listing)
    host.check_output("nft add table inet bystander")
    try:
        for verb in ("restart", "reload"):
            host.check_output(f"systemctl {verb} {UNIT}")
            assert host.check_output(listing) == before
            assert "table inet bystander" in host.check_output("nft list tables")
    finally:
        host.check_output("nft delete table inet bystander")


def test_underlay_has_ssh_and_nothing_else(host: Host, others: list[Other], stray: int) -> None:
    """From another node ssh answers; a service that listens everywhere does not, and is counted."""
    address = underlay(host)
    before = dropped(host, "underlay")
    seen = (
        partial(is_open, others[0].host, address, 22),
        partial(is_dropped, others[0].host, address, stray),
    )
    assert at_once(seen) == [True, True]
    assert dropped(host, "underlay") > before


def test_overlay_has_echo_and_no_port_that_nobody_needs(
    host: Host, others: list[Other], variables: dict[str, Any], stray: int
) -> None:
    """Another node is answered over the overlay, but reaches neither ssh nor the stray service."""
    address = variables["zerotier_ip"]
    before = dropped(host, "overlay")
    assert is_open(host, address, stray)
    assert unreached(others[0].host, others[0].address, [address]) == "[]"
    seen = [partial(is_dropped, others[0].host, address, port) for port in (22, stray)]
    assert at_once(seen) == [True, True]
    assert dropped(host, "overlay") > before


def test_broker_is_reached_by_its_clients_alone(
    host: Host, node: str, others: list[Other], variables: dict[str, Any], pytestconfig: Any
) -> None:
    """Producers, consumers and agents reach the clients' port; only brokers reach the others.

    A node that is no broker has none of these ports.
    """
    path = pytestconfig.getoption("ansible_inventory")
    brokers = members(path, "kafka")
    groups = ("kafka", "producers", "consumers_*", "agents")
    clients = {name for group in groups for name in members(path, group)}
    address = variables["zerotier_ip"]
    if node in brokers:
        assert is_open(host, address, CLIENTS)
        assert is_open(host, address, CONTROLLER)
    ways = [
        (other, port, node in brokers and other.name in let_in)
        for other in (others if node in brokers else others[:1])
        for port, let_in in ((CLIENTS, clients), (CONTROLLER, brokers), (BROKER, brokers))
    ]
    seen = at_once([partial(is_dropped, other.host, address, port) for other, port, _ in ways])
    for (other, port, may_come), was_dropped in zip(ways, seen, strict=True):
        assert was_dropped is not may_come, (other, port)
        if may_come and port == CLIENTS:
            assert is_open(other.host, address, port), other
