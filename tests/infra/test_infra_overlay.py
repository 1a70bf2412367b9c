"""Every node is on the ZeroTier network, with its own address, and reaches the others."""

import json
from typing import Any

import pytest
from testinfra.host import Host

from tests.infra.listening import listeners
from tests.infra.nodes import inventory
from tests.infra.reaching import unreached

GROUPS = "all"


def test_zerotier_runs_and_comes_back_after_a_boot(host: Host) -> None:
    """The service is enabled and running."""
    service = host.service("zerotier-one")
    assert service.is_enabled
    assert service.is_running


def test_network_is_ok_with_exactly_the_inventory_s_address(
    host: Host, variables: dict[str, Any]
) -> None:
    """One network, status OK, and the address of the inventory and no other."""
    networks = json.loads(host.check_output("zerotier-cli -j listnetworks"))
    assert [network["status"] for network in networks] == ["OK"]
    addresses = [address.partition("/")[0] for address in networks[0]["assignedAddresses"]]
    assert addresses == [variables["zerotier_ip"]]


def test_address_is_on_an_interface(host: Host, variables: dict[str, Any]) -> None:
    """The kernel has the address, on an interface of ZeroTier's."""
    line = host.check_output(f"ip -oneline -4 address show to {variables['zerotier_ip']}")
    assert line.split()[1].startswith("zt")


def test_every_other_node_is_reached(
    host: Host, node: str, variables: dict[str, Any], pytestconfig: pytest.Config
) -> None:
    """A packet to each other node's address leaves by the overlay, and is answered there."""
    hosts = inventory(pytestconfig.getoption("ansible_inventory"))["_meta"]["hostvars"]
    others = [values["zerotier_ip"] for other, values in hosts.items() if other != node]
    for address in others:
        assert " dev zt" in host.check_output(f"ip route get {address}")
    assert unreached(host, variables["zerotier_ip"], others) == "[]"


def test_secrets_of_zerotier_are_closed(host: Host) -> None:
    """Identity and API token belong to their owner alone."""
    for name in ("identity.secret", "authtoken.secret"):
        assert host.file(f"/var/lib/zerotier-one/{name}").mode == 0o600


def test_nothing_of_the_pipeline_listens_outside_the_overlay(
    host: Host, variables: dict[str, Any]
) -> None:
    """Java and Python processes listen on the overlay's address or on loopback, never elsewhere."""
    for listener in listeners(host):
        if (
            listener.process.startswith(("java", "server-monit", "python"))
            and listener.port != 9993
        ):
            assert listener.address in (variables["zerotier_ip"], "127.0.0.1"), listener
