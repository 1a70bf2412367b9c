"""Judge what is asked of the overlay's operations, and say what they did."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible.errors import AnsibleError
from ansible.parsing.vault import VaultLib, VaultSecret, is_encrypted

from ..plugin_utils.filters import PublicFunctions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Json = dict[str, Any]

_SHORTEST_PASSWORD = 12


def zerotier_leaving(
    leave: object,
    members: Iterable[Mapping[str, Any]],
    hosts: Iterable[str],
    keeper: str,
    asked: Iterable[Mapping[str, Any]] = (),
) -> Json:
    """Return who is meant: {members: [{name, address}], hosts: [name], problem: line or ''}.

    `leave` names hosts, members, or ZeroTier addresses, by commas. `keeper` is the ZeroTier address
    of the network's own controller, which may only leave last; `asked` holds what hosts said of
    themselves, since a member may have another name than its host.
    """
    known = [{"name": member["name"], "address": member["address"]} for member in members]
    named = [part.strip() for part in str(leave or "").split(",") if part.strip()]
    said = ", ".join(f"{one['name'] or 'no name'} ({one['address']})" for one in known) or "none"
    own = {result["item"]: result["address"] for result in asked if "address" in result}
    found = {
        name: [one for one in known if {name, own.get(name)} & set(one.values())] for name in named
    }
    inventory = set(hosts)
    unknown = [name for name in named if not found[name] and name not in inventory]
    leaving = list({one["address"]: one for name in named for one in found[name]}.values())
    addresses = {one["address"] for one in leaving}
    problem = ""
    if not named:
        problem = f"pass -e leave=NAME with who is to leave; members of the network: {said}"
    elif unknown:
        problem = (
            f"leave names {unknown[0]!r}, which is no host of the inventory and no member of the "
            f"network; its members: {said}"
        )
    elif keeper in addresses and len(addresses) < len(known):
        problem = (
            f"{keeper} keeps the network itself, and others are still in it; let these leave "
            "first, or let another host keep the network (group zerotier_controller)"
        )
    return {
        "members": leaving,
        "hosts": [name for name in named if name in inventory],
        "problem": problem,
    }


def zerotier_left_lines(leaving: Json, nodes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line for each that left; `nodes` are the results of leaving on the hosts."""
    stayed = {result["item"]: _hindrance(result) for result in nodes if "status" not in result}
    lines = [
        f"{one['name'] or one['address']} ({one['address']}): out of the network"
        for one in leaving["members"]
    ]
    lines.extend(
        f"{host}: {stayed[host]}; should it come back, run on it: zerotier-cli leave"
        if host in stayed
        else f"{host}: left; take it out of the inventory, or provision.yml brings it back"
        for host in leaving["hosts"]
    )
    return lines


def _hindrance(result: Mapping[str, Any]) -> str:
    if result.get("unreachable"):
        return "could not be reached"
    return f"could not leave by itself: {result.get('msg')}"


def zerotier_backup_problem(backend: str, password: str) -> str:
    """Return why no backup can be made or restored, or ''."""
    if backend != "controller":
        return "zerotier_backend is 'central': ZeroTier Central keeps the network, no host has it"
    if len(password) < _SHORTEST_PASSWORD:
        return (
            f"the backup's password has {len(password)} characters, expected at least "
            f"{_SHORTEST_PASSWORD}; give it in the environment variable ZEROTIER_BACKUP_PASSWORD"
        )
    return ""


def zerotier_opened(backup: str, password: str) -> dict[str, str]:
    """Read and decrypt a backup on the control machine: {archive, problem}, one of them empty."""
    if not backup:
        return _unopened("pass -e backup=FILE, a file that overlay_backup.yml wrote")
    file = Path(backup).expanduser()
    try:
        text = file.read_bytes()
    except OSError as trouble:
        return _unopened(f"backup is {backup}, which cannot be read: {trouble.strerror}")
    if not is_encrypted(text):
        return _unopened(f"backup is {backup}, not encrypted: overlay_backup.yml did not write it")
    vault = VaultLib([("default", VaultSecret(password.encode()))])
    try:
        archive = vault.decrypt(text).decode()
    except (AnsibleError, UnicodeDecodeError):
        return _unopened(
            f"backup {backup} does not open with this password; give the one it was made with in "
            "the environment variable ZEROTIER_BACKUP_PASSWORD"
        )
    return {"archive": archive, "problem": ""}


def _unopened(problem: str) -> dict[str, str]:
    return {"archive": "", "problem": problem}


class FilterModule(PublicFunctions):
    """The filters of this file, which have their full names."""
