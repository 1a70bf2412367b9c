"""Judge the role's settings before anything is changed."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

from ..module_utils.addresses import is_address, is_network
from ..plugin_utils.filters import PublicFunctions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_METHODS, _BACKENDS = ("apt", "deb", "preinstalled"), ("controller", "central")
_SECONDS = "whole seconds above 0"
_MTU, _PORTS = range(1280, 10001), range(1, 65536)
# A /30 is the smallest range with two addresses for nodes.
_LONGEST_PREFIX = 30
_SHA256, _NETWORK_ID = re.compile(r"[0-9a-fA-F]{64}"), re.compile(r"[0-9a-f]{16}")
_VERSION = re.compile(r"(\d+(\.\d+)*\S*)?")
_TIMEOUTS = ("join_timeout", "reach_timeout", "direct_timeout")


def zerotier_problem(settings: Mapping[str, Any], host: str) -> str:
    """Return one line on the first setting of a host that cannot work, or ''.

    `settings` holds the role's variables without their prefix; `ips` maps every host of the
    inventory to its zerotier_ip, `controller` is the host that keeps the network, `moons`
    maps each root to its endpoints, and of the token there is only whether it is set.
    """
    groups = (_install_checks, _network_checks, _service_checks)
    for name, expected in (check for group in groups for check in group(settings)):
        if expected:
            return f"{host}: zerotier_{name} is {settings[name]!r}, expected {expected}"
    if settings["backend"] == "central" and not settings["central_token"]:
        return (
            f"{host}: zerotier_backend is 'central', but zerotier_central_token is empty; give the "
            "API token in the environment variable ZEROTIER_CENTRAL_TOKEN, or in an encrypted file"
        )
    return _moon_problem(settings["moons"]) or _address_problem(settings, host)


def _moon_problem(moons: Mapping[str, Any]) -> str:
    """Return one line on the first root that does not say where it is reached, or ''."""
    for moon, endpoints in moons.items():
        if not endpoints or not all(_endpoint(text) for text in endpoints):
            return (
                f"{moon}: zerotier_moon_endpoints is {endpoints!r}, expected where this root is "
                "reached, a list of address/port such as 192.0.2.10/9993"
            )
    return ""


def _unless(fine: object, expected: str) -> str:
    return "" if fine else expected


def _one_of(value: object, choices: tuple[str, ...]) -> str:
    return _unless(value in choices, f"one of {', '.join(choices)}")


def _install_checks(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield setting and what is expected of it, '' where it is fine."""
    yield "install_method", _one_of(settings["install_method"], _METHODS)
    version = _VERSION.fullmatch(str(settings["version"]))
    yield "version", _unless(version, "a version such as 1.14.2, or nothing for the newest")
    if settings["install_method"] == "deb":
        deb, sums = settings["deb"], _values(settings["deb_sha256"])
        expected = "a package's file on the control machine, or one by release of the distribution"
        yield "deb", _unless(deb and all(_values(deb)), expected)
        fine = sums and all(_SHA256.fullmatch(text) for text in sums)
        yield "deb_sha256", _unless(fine, "the file's sha256, 64 hexadecimal digits")


def _network_checks(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield setting and what is expected of it, '' where it is fine."""
    name, cidr, pool = settings["network_name"], settings["network_cidr"], settings["pool"]
    yield "backend", _one_of(settings["backend"], _BACKENDS)
    if settings["backend"] == "controller":
        yield (
            "controller",
            _unless(settings["controller"], "a host in the group zerotier_controller"),
        )
    found = str(settings["network_id"] or "")
    plain = found == "" or _NETWORK_ID.fullmatch(found)
    yield "network_id", _unless(plain, "16 hexadecimal digits, or nothing")
    yield "network_name", _unless(isinstance(name, str) and name.strip(), "a name")
    yield "network_cidr", _unless(_network(cidr), "an IPv4 range such as 172.29.0.0/24")
    fine = all(isinstance(route, dict) and _route(route) for route in settings["routes"])
    yield "routes", _unless(fine, "a list of {target: range, via: address or nothing}")
    inside = [_inside(text, cidr) for text in pool]
    yield (
        "pool",
        _unless(not pool or inside == [True, True], f"first and last address inside {cidr}"),
    )
    mtu = _integer(settings["mtu"])
    yield (
        "mtu",
        _unless(mtu == 0 or mtu in _MTU, "bytes from 1280 to 10000, or 0 to leave it alone"),
    )


def _service_checks(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield setting and what is expected of it, '' where it is fine."""
    yield (
        "primary_port",
        _unless(_integer(settings["primary_port"]) in _PORTS, "a port, 1 to 65535"),
    )
    fine = all(isinstance(text, str) and text for text in settings["interface_blacklist"])
    yield "interface_blacklist", _unless(fine, "a list of prefixes of interfaces such as docker")
    fine = all(_range(text) for text in settings["address_blacklist"])
    yield "address_blacklist", _unless(fine, "a list of ranges such as 10.8.0.0/16")
    for name in _TIMEOUTS:
        yield name, _unless(_integer(settings[name]) > 0, _SECONDS)


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


def _values(setting: object) -> list[str]:
    """Return a setting's texts, one or one by release."""
    return [str(value) for value in (setting.values() if isinstance(setting, dict) else [setting])]


def _range(text: object) -> bool:
    # Without a prefix length ZeroTier takes an address for a range of all addresses.
    return "/" in str(text) and is_network(str(text))


def _route(route: Mapping[str, Any]) -> bool:
    target, via = route.get("target"), route.get("via")
    if not _range(target):
        return False
    try:
        gateway = ipaddress.ip_address(str(via)) if via else None
    except ValueError:
        return False
    return gateway is None or gateway.version == ipaddress.ip_network(str(target)).version


def _inside(text: object, cidr: object) -> bool:
    network = _network(cidr)
    try:
        return network is not None and ipaddress.IPv4Address(str(text)) in network
    except ValueError:
        return False


def _endpoint(text: object) -> bool:
    address, _, port = str(text).partition("/")
    return is_address(address) and _integer(port) in _PORTS


def _network(cidr: object) -> ipaddress.IPv4Network | None:
    try:
        network = ipaddress.IPv4Network(str(cidr))
    except ValueError:
        return None
    return network if "/" in str(cidr) and network.prefixlen <= _LONGEST_PREFIX else None


class FilterModule(PublicFunctions):
    """The filters of this file, which have their full names."""
