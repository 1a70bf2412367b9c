"""Judge the role's settings before anything is changed."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_METHODS, _BACKENDS = ("preinstalled",), ("controller",)
_SECONDS = "whole seconds above 0"
_MTU = range(1280, 10001)
# A /30 is the smallest range with two addresses for nodes.
_LONGEST_PREFIX = 30


def zerotier_problem(settings: Mapping[str, Any], host: str) -> str:
    """Return one line on the first setting of a host that cannot work, or ''.

    `settings` holds the role's variables without their prefix; `ips` maps every host of the
    inventory to its zerotier_ip, and `controller` is the host that keeps the network.
    """
    for name, found, expected in _simple_checks(settings):
        if expected:
            return f"{host}: zerotier_{name} is {found!r}, expected {expected}"
    return _address_problem(settings, host)


def _simple_checks(settings: Mapping[str, Any]) -> list[tuple[str, Any, str]]:
    def unless(fine: object, expected: str) -> str:
        return "" if fine else expected

    method, backend = settings["install_method"], settings["backend"]
    name, mtu = settings["network_name"], settings["mtu"]
    timeouts = ("join_timeout", "reach_timeout")
    cidr, controller = settings["network_cidr"], settings["controller"]
    return [
        ("install_method", method, unless(method in _METHODS, f"one of {', '.join(_METHODS)}")),
        ("backend", backend, unless(backend in _BACKENDS, f"one of {', '.join(_BACKENDS)}")),
        ("network_name", name, unless(isinstance(name, str) and name.strip(), "a name")),
        ("mtu", mtu, unless(_integer(mtu) in _MTU, "bytes from 1280 to 10000")),
        ("network_cidr", cidr, unless(_network(cidr), "an IPv4 range such as 172.29.0.0/24")),
        ("controller", controller, unless(controller, "a host in the group zerotier_controller")),
        *((key, settings[key], unless(_integer(settings[key]) > 0, _SECONDS)) for key in timeouts),
    ]


def _address_problem(settings: Mapping[str, Any], host: str) -> str:
    found, cidr = str(settings["ip"] or ""), settings["network_cidr"]
    if not found:
        return f"{host}: zerotier_ip is missing, expected this host's own address inside {cidr}"
    network = _network(cidr)
    try:
        address = ipaddress.IPv4Address(found)
    except ValueError:
        return f"{host}: zerotier_ip is {found!r}, expected an IPv4 address inside {cidr}"
    if network is None or address not in network:
        return f"{host}: zerotier_ip is {found}, expected an address inside {cidr}"
    if address in (network.network_address, network.broadcast_address):
        return f"{host}: zerotier_ip is {found}, which names {cidr} itself; take one between"
    twins = sorted(name for name, ip in settings["ips"].items() if ip == found and name != host)
    if twins:
        return f"{host}: zerotier_ip is {found}, which {', '.join(twins)} has too; change one"
    return ""


def _integer(value: object) -> int:
    """Return a whole number, also from text as `-e` gives it, or -1 for anything else."""
    text = "" if isinstance(value, bool) else str(value)
    return int(text) if text.isdecimal() else -1


def _network(cidr: object) -> ipaddress.IPv4Network | None:
    try:
        network = ipaddress.IPv4Network(str(cidr))
    except ValueError:
        return None
    return network if "/" in str(cidr) and network.prefixlen <= _LONGEST_PREFIX else None


def zerotier_strangers_line(members: Iterable[Mapping[str, Any]]) -> str:
    """Return one line that tells members of the network apart from the inventory's hosts."""
    told = [
        f"{member['address']} (name {member['name'] or 'none'}, addresses "
        f"{', '.join(member['ip_assignments']) or 'none'}, "
        f"{'authorized' if member['authorized'] else 'not authorized'})"
        for member in members
    ]
    return f"left alone, as the inventory does not know these members: {'; '.join(told)}"


class FilterModule:
    """The role's filters."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """Return the filters by name."""
        return {
            "zerotier_problem": zerotier_problem,
            "zerotier_strangers_line": zerotier_strangers_line,
        }
