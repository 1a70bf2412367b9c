"""What a node lets in, from the inventory's groups and addresses; and settings that cannot work."""

from __future__ import annotations

import ipaddress
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from ..module_utils.addresses import is_network
from ..plugin_utils.filters import PublicFunctions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Groups = Mapping[str, Sequence[str]]

_PROTOCOLS = ("tcp", "udp")
_PORTS = range(1, 65536)
_SECONDS = range(5, 601)
_INTERFACE = re.compile(r"[A-Za-z0-9_.-]{1,14}\*?")
# A rule's comment stands in quotes.
_NAME = re.compile(r"[\w ,.:/()-]{1,100}")
_RULE = {"port", "protocol", "from"}
_SERVICE = {"name", "group", "protocol", "ports", "from"}


def openings(
    services: Iterable[Mapping[str, Any]],
    extra_rules: Iterable[Mapping[str, Any]],
    host: str,
    groups: Groups,
    hostvars: Mapping[str, Mapping[str, Any]],
) -> dict[str, list[str]]:
    """Return a host's rules in the language of nft: `overlay` for that interface, `anywhere`.

    Addresses on the overlay are asked of `hostvars` only for hosts that a rule lets in: with many
    hosts that is what costs. Services open ports of the hosts in
    their group to those of other groups; `extra_rules` are as the inventory has them.
    """
    overlay = [
        rule
        for service in services
        if any(host in groups[name] for name in _matching([service["group"]], groups))
        for rule in _rules(
            service["protocol"],
            service["ports"],
            _addresses(service["from"], groups, host, hostvars),
            service["name"],
        )
    ]
    anywhere: list[str] = []
    for extra in extra_rules:
        sources = _sources(extra["from"])
        names = [name for name in sources if not is_network(name) and name != "any"]
        networks = [source for source in sources if is_network(source)]
        opened = (extra["protocol"], [extra["port"]])
        if "any" in sources:
            anywhere.append(f"{_ports(*opened)} accept")
        else:
            anywhere += _rules(*opened, networks)
            overlay += _rules(*opened, _addresses(names, groups, host, hostvars))
    return {"overlay": overlay, "anywhere": anywhere}


def ssh_ports(sshd: str, connection: str) -> list[int]:
    """Return the ports of ssh, sorted: where sshd listens, and where Ansible came in.

    `sshd` is what `sshd -T` prints, `connection` the value of SSH_CONNECTION; either may be empty.
    """
    listening = re.findall(r"(?m)^listenaddress \S+:(\d+)$", sshd)
    came_in = connection.split()[3:4]
    return sorted({int(port) for port in listening + came_in}) or [22]


def problem(
    hosts: Iterable[str],
    hostvars: Mapping[str, Mapping[str, Any]],
    defaults: Mapping[str, Any],
    groups: Groups,
) -> str:
    """Return one line on the first setting of the first host that cannot work, or ''.

    `defaults` holds the role's variables without their prefix, for hosts that have no own.
    """
    for host in hosts:
        own = hostvars[host]
        settings = {key: own.get(f"firewall_{key}", value) for key, value in defaults.items()}
        if found := _host_problem(settings, host, groups):
            return found
    return ""


def _host_problem(settings: Mapping[str, Any], host: str, groups: Groups) -> str:
    ports = settings["ssh_ports"]
    checks = (
        ("enabled", _is_switch(settings["enabled"]), "true or false"),
        (
            "ssh_ports",
            isinstance(ports, list) and all(_is_in(port, _PORTS) for port in ports),
            "a list of ports from 1 to 65535, such as [22]",
        ),
        ("zerotier_port", _is_in(settings["zerotier_port"], _PORTS), "a port from 1 to 65535"),
        (
            "overlay_interface",
            bool(_INTERFACE.fullmatch(str(settings["overlay_interface"]))),
            "the name of an interface, such as zt*",
        ),
        (
            "rollback_seconds",
            _is_in(settings["rollback_seconds"], _SECONDS),
            "whole seconds from 5 to 600",
        ),
    )
    for name, right, expected in checks:
        if not right:
            found = settings[name]
            return f"{host}: firewall_{name} is {found!r}, expected {expected}; correct it"
    services, extra_rules = settings["services"], settings["extra_rules"]
    return _list_problem("services", services, host, _service_expected) or _list_problem(
        "extra_rules", extra_rules, host, lambda rule: _rule_expected(rule, groups)
    )


def _list_problem(
    name: str, found: object, host: str, expected_of: Callable[[Mapping[str, Any]], str]
) -> str:
    """Return what is wrong with a list of mappings, or ''."""
    if not isinstance(found, list):
        return f"{host}: firewall_{name} is {found!r}, expected a list; correct it"
    for number, entry in enumerate(found, 1):
        expected = expected_of(entry) if isinstance(entry, dict) else "a mapping"
        if expected:
            return (
                f"{host}: firewall_{name}, entry {number} is {entry!r}, expected {expected}; "
                "correct it"
            )
    return ""


def _service_expected(service: Mapping[str, Any]) -> str:
    if set(service) != _SERVICE:
        return f"exactly the keys {', '.join(sorted(_SERVICE))}"
    if not _NAME.fullmatch(str(service["name"])):
        return "a name of letters, digits, spaces and simple marks"
    if service["protocol"] not in _PROTOCOLS:
        return "protocol tcp or udp"
    ports = service["ports"]
    if not isinstance(ports, list) or not ports or not all(_is_in(p, _PORTS) for p in ports):
        return "ports as a list of ports from 1 to 65535"
    if not isinstance(service["from"], list) or not service["from"]:
        return "from as a list of groups"
    return ""


def _rule_expected(rule: Mapping[str, Any], groups: Groups) -> str:
    if set(rule) != _RULE:
        return f"exactly the keys {', '.join(sorted(_RULE))}"
    if rule["protocol"] not in _PROTOCOLS:
        return "protocol tcp or udp"
    if not _is_in(rule["port"], _PORTS):
        return "a port from 1 to 65535"
    sources = _sources(rule["from"])
    hosts = groups.get("all", ())
    for source in sources:
        known = source == "any" or source in hosts or _matching([source], groups)
        if not known and not is_network(source):
            return f"from any, an address, a network, a group or a host, not {source!r}"
    return "" if sources else "from with at least one source"


def _sources(found: object) -> list[str]:
    return [str(source) for source in (found if isinstance(found, list) else [found])]


def _matching(patterns: Iterable[str], groups: Groups) -> list[str]:
    """Return the names of groups that one of the patterns stands for."""
    return [
        name
        for name in groups
        if any(
            name == pattern or (pattern.endswith("*") and fnmatchcase(name, pattern))
            for pattern in patterns
        )
    ]


def _addresses(
    names: Sequence[str], groups: Groups, host: str, hostvars: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """Return the overlay addresses of other hosts that these names stand for; "" for none."""
    others = [member for member in _members(names, groups) if member != host]
    return [str(hostvars[member].get("zerotier_ip") or "") for member in others]


def _members(names: Sequence[str], groups: Groups) -> list[str]:
    """Return the hosts that these names of groups or hosts stand for, in the inventory's order."""
    found = {host for name in _matching(names, groups) for host in groups[name]} | set(names)
    return [host for host in groups.get("all", ()) if host in found]


def _rules(
    protocol: str, ports: Sequence[Any], sources: Iterable[str], comment: str = ""
) -> list[str]:
    """Return a rule for the sources of each family that has any."""
    ended = f'accept comment "{comment}"' if comment else "accept"
    networks = {ipaddress.ip_network(source) for source in sources if source}
    return [
        f"{family} saddr {{ {', '.join(of_family)} }} {_ports(protocol, ports)} {ended}"
        for family, version in (("ip", 4), ("ip6", 6))
        if (of_family := _widest({n for n in networks if n.version == version}))
    ]


def _widest(networks: Iterable[Any]) -> list[str]:
    """Return the networks that lie in no other one: nft refuses a set with overlaps."""
    kept: list[Any] = []
    for network in sorted(networks):  # each after those that it may lie in
        if not kept or not network.subnet_of(kept[-1]):
            kept.append(network)
    return [_text(network) for network in kept]


def _ports(protocol: str, ports: Sequence[Any]) -> str:
    return f"{protocol} dport {{ {', '.join(str(port) for port in sorted(map(int, ports)))} }}"


def _text(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> str:
    """Return an address where the network is a single one."""
    single = network.prefixlen == network.max_prefixlen
    return str(network.network_address if single else network)


def _is_in(found: object, expected: range) -> bool:
    """Tell whether a number, or the text of one as -e gives it, is in a range."""
    return not isinstance(found, bool) and (
        re.fullmatch(r"[0-9]{1,9}", str(found)) is not None and int(str(found)) in expected
    )


def _is_switch(found: object) -> bool:
    return str(found).lower() in ("true", "false", "yes", "no")


class FilterModule(PublicFunctions):
    """The filters of the role firewall."""

    prefix = "firewall_"
