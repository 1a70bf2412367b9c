"""What is wrong with an inventory, as one line for each problem."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any


def address_problems(addresses: Mapping[str, Any], network_cidr: str) -> list[str]:
    """Return what is wrong with the hosts' overlay addresses.

    `addresses` maps each host to its `zerotier_ip` ("" where it has none); `network_cidr` is the
    overlay's range, such as 172.29.0.0/24.
    """
    try:
        network = ipaddress.ip_network(str(network_cidr))
    except ValueError:
        expected = "expected a network such as 172.29.0.0/24; correct it"
        return [f"inventory: zerotier_network_cidr is {network_cidr!s}, {expected}"]
    problems: list[str] = []
    first_with: dict[str, str] = {}
    for host, found in addresses.items():
        address = "" if found is None else str(found)
        problem = _address_problem(address, network)
        if not problem and (other := first_with.setdefault(address, host)) != host:
            problem = (
                f"zerotier_ip {address} is also that of {other}, expected one of its own; "
                "give one of the two another address"
            )
        if problem:
            problems.append(f"{host}: {problem}")
    return problems


def _address_problem(
    address: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network
) -> str | None:
    """Return what is wrong with one address on its own, or None."""
    expected = f"expected an address inside zerotier_network_cidr {network}"
    if not address:
        return f"zerotier_ip is missing, {expected}; add it to the host"
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return f"zerotier_ip is {address}, which is no IP address, {expected}; correct it"
    if parsed not in network:
        return f"zerotier_ip is {address}, {expected}; correct one of the two"
    if network.prefixlen < network.max_prefixlen - 1 and parsed in (
        network.network_address,
        network.broadcast_address,
    ):
        return (
            f"zerotier_ip is {address}, the network's own or broadcast address, "
            f"{expected} besides these; correct it"
        )
    return None


def group_problems(groups: Mapping[str, Sequence[str]], required: Sequence[str]) -> list[str]:
    """Return which of the `required` groups are missing in `groups`, or have no host."""
    return [
        f"inventory: group {name} {'is empty' if name in groups else 'is missing'}, "
        "expected at least one host; add one (the same host may be in several groups)"
        for name in required
        if not groups.get(name)
    ]


class FilterModule:
    """The filters of the role preflight."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by the names that tasks use."""
        return {
            "preflight_address_problems": address_problems,
            "preflight_group_problems": group_problems,
        }
