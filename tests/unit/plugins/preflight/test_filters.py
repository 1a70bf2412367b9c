"""What is wrong with an inventory is said in one line for each problem."""

import pytest
from ansible_collections.server_monitoring.cluster.plugins.filter import preflight

NETWORK = "172.29.0.0/24"


def test_good_addresses_have_no_problem() -> None:
    """Addresses inside the network, each of one host, pass."""
    addresses = {"a": "172.29.0.1", "b": "172.29.0.254"}
    assert preflight.address_problems(addresses, NETWORK) == []


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("", "zerotier_ip is missing"),
        (None, "zerotier_ip is missing"),
        ("172.29.0.256", "zerotier_ip is 172.29.0.256, which is no IP address"),
        ("kafka", "zerotier_ip is kafka, which is no IP address"),
        ("172.29.1.1", "zerotier_ip is 172.29.1.1, expected an address inside"),
        ("fd00::1", "zerotier_ip is fd00::1, expected an address inside"),
        ("172.29.0.0", "the network's own or broadcast address"),
        ("172.29.0.255", "the network's own or broadcast address"),
    ],
)
def test_bad_address_names_host_value_and_expectation(address: str | None, found: str) -> None:
    """The line begins with the host, and holds what was found and the network expected."""
    [problem] = preflight.address_problems({"node": address}, NETWORK)
    assert problem.startswith("node: ")
    assert found in problem
    assert NETWORK in problem
    assert "\n" not in problem


def test_duplicate_address_names_both_hosts() -> None:
    """The second host of two with one address is refused, and the first one named."""
    [problem] = preflight.address_problems({"a": "172.29.0.1", "b": "172.29.0.1"}, NETWORK)
    assert problem.startswith("b: zerotier_ip 172.29.0.1 is also that of a")


def test_every_problem_is_reported_at_once() -> None:
    """Two bad hosts give two lines."""
    assert len(preflight.address_problems({"a": "", "b": "x", "c": "172.29.0.9"}, NETWORK)) == 2


@pytest.mark.parametrize("network", ["", "172.29.0.0/33", "172.29.0.5/24"])
def test_bad_network_is_named_itself(network: str) -> None:
    """A network that is none is the one problem reported."""
    [problem] = preflight.address_problems({"a": "172.29.0.1"}, network)
    assert problem.startswith("inventory: zerotier_network_cidr is")


def test_missing_and_empty_groups_are_told_apart() -> None:
    """A group that is not there and one without hosts are both refused, by name."""
    groups = {"kafka": ["a"], "producers": []}
    problems = preflight.group_problems(groups, ["kafka", "producers", "consumers_cpu_mem"])
    assert [problem.partition(",")[0] for problem in problems] == [
        "inventory: group producers is empty",
        "inventory: group consumers_cpu_mem is missing",
    ]
