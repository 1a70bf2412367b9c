"""Say in words what was found: members, twins and paths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..plugin_utils.filters import PublicFunctions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# Groups whose hosts do more than watch themselves.
_WORK = re.compile("kafka|producers|consumers_.+|zerotier_.+")
_HEADER = ("from", "to", "path", "latency", "underlay")


def zerotier_strangers_line(members: Iterable[Mapping[str, Any]]) -> str:
    """Return one line that tells members of the network apart from the inventory's hosts."""
    told = [
        f"{member['address']} (name {member['name'] or 'none'}, addresses "
        f"{', '.join(member['ip_assignments']) or 'none'}, "
        f"{'authorized' if member['authorized'] else 'not authorized'})"
        for member in members
    ]
    return f"left alone, as the inventory does not know these members: {'; '.join(told)}"


def zerotier_twins(addresses: Mapping[str, str]) -> str:
    """Return one line on hosts that have the same ZeroTier address, or ''; `addresses` by host."""
    for address in sorted(set(addresses.values())):
        hosts = sorted(host for host, found in addresses.items() if found == address)
        if len(hosts) > 1:
            return (
                f"{' and '.join(hosts)} have the same ZeroTier identity {address}, as clones of "
                "one machine have; on all but one stop zerotier-one, remove identity.public and "
                "identity.secret from its home directory, and run this again"
            )
    return ""


def zerotier_needed_peers(
    groups: Mapping[str, Sequence[str]], host: str, play_hosts: Sequence[str]
) -> list[str]:
    """Return the hosts of a play that a host must reach.

    One that is watched, and nothing else, needs the brokers alone, and no other needs it: else
    the checks would grow with the square of the servers. All others need each other.
    """
    working = {h for name, those in groups.items() if _WORK.fullmatch(name) for h in those}
    watched = {*groups.get("agents", ())} - working
    wanted = {*groups.get("kafka", ())} if host in watched else {*play_hosts} - watched
    return [name for name in play_hosts if name in wanted and name != host]


def zerotier_links_table(links: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the paths between hosts as lines of a table; latencies are in ms."""
    rows = [_HEADER, *(_row(link) for link in links)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _row(link: Mapping[str, Any]) -> tuple[str, ...]:
    latency = f"{link['latency']} ms" if link["latency"] >= 0 else "-"
    return (link["from"], link["to"], link["link"], latency, link["path"] or "-")


class FilterModule(PublicFunctions):
    """The filters of this file, which have their full names."""
