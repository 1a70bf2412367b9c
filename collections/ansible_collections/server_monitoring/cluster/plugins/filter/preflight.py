"""What is wrong with an inventory, as one line for each problem."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ..plugin_utils.filters import PublicFunctions

# What Ansible itself takes for the machine that it runs on.
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
# What a setting of a type may be, as it is read from YAML, or as the text that `-e` gives.
_EXPECTED = {"int": "a whole number", "float": "a number", "bool": "true or false"}
_TRUTHS = ("true", "false", "yes", "no", "on", "off")


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


def host_problems(hosts: Sequence[str]) -> list[str]:
    """Return which hosts bear a name that stands for the machine that Ansible runs on."""
    return [
        f"inventory: host {host} found, expected another name: it stands for the machine that "
        "Ansible runs on; name it anew, with ansible_host for how it is reached"
        for host in hosts
        if host in LOCAL_NAMES
    ]


def type_problems(hostvars: Mapping[str, Any], hosts: Sequence[str], roles: str) -> list[str]:
    """Return which settings are not of the type that their role declares, a line for each.

    `roles` is the folder of the roles. A setting that stands in no inventory is not looked at, and
    neither is one that cannot be told yet, as it is made of facts.
    """
    wanted = {name: kind for name, kind in _declared(Path(roles)) if kind in _EXPECTED}
    with_problem: dict[str, list[str]] = {}
    for host in hosts:
        variables = hostvars[host]
        for name, kind in wanted.items():
            if name in variables and not _fits(found := variables[name], kind):
                text = f"{name}: found {found}, expected {_EXPECTED[kind]}"
                with_problem.setdefault(text, []).append(host)
    return [
        f"{'inventory' if len(those) == len(hosts) else ', '.join(those)}: {text}; correct it"
        for text, those in with_problem.items()
    ]


def _declared(roles: Path) -> Iterator[tuple[str, str]]:
    """Yield the settings of all roles, each with its type."""
    for file in sorted(roles.glob("*/meta/argument_specs.yml")):
        specs = yaml.safe_load(file.read_text(encoding="utf-8"))["argument_specs"]
        for entry in specs.values():
            yield from ((name, spec["type"]) for name, spec in entry["options"].items())


def _fits(found: Any, kind: str) -> bool:
    """Tell whether a setting is of a type, or a text that spells a value of it."""
    if not isinstance(found, (bool, int, float, str)):
        # None of these types is written so; what is not known yet is an object of Ansible's own.
        return not (found is None or isinstance(found, (list, dict)))
    text = "" if isinstance(found, bool) else str(found)
    if kind == "bool":
        return isinstance(found, bool) or text.lower() in _TRUTHS
    try:
        number = int(text) if kind == "int" else float(text)
    except ValueError:
        return False
    return number - number == 0 and "_" not in text


class FilterModule(PublicFunctions):
    """The filters of the role preflight."""

    prefix = "preflight_"
