"""Hosts with their services, versions and addresses, as the table that ends provisioning."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..plugin_utils.filters import PublicFunctions

HEADER = ("host", "reached at", "on the overlay", "services", "versions")
# The service of a group, and the programs that it needs beside ZeroTier.
SERVICES: dict[str, tuple[str, Sequence[str]]] = {
    "zerotier_controller": ("ZeroTier controller", ()),
    "zerotier_moons": ("ZeroTier root", ()),
    "kafka": ("Kafka broker", ("Kafka", "Java")),
    "producers": ("producer", ("app",)),
    "agents": ("agent", ("app",)),
}
CONSUMERS = "consumers_"
# The programs in the order of a row, and what each one's role has registered when it verified it.
TOLD: dict[str, Sequence[str]] = {
    "Kafka": ("__kafka_runs", "said", "jar", "out"),
    "Java": ("java_version",),
    "Spark": ("__spark_version", "said", "spark", "out"),
    "app": ("__app_version", "said", "app", "out"),
    "ZeroTier": ("__zerotier_node", "version"),
    "package": ("__zerotier_node", "package_version"),
}
VERSION = re.compile(r"\d+(?:\.\d+)+(?:[-+.]?\w+)*")
ABSENT = "not installed yet"


def untold(host: Mapping[str, Any]) -> list[str]:
    """Return the programs of a host that this run has not heard the versions of; see host_row."""
    known = _answers(host)
    return [program for program in TOLD if program in _needs(host) and not known[program]]


def host_row(host: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a host's row; `host` are its variables, with the answers of its programs.

    Those are what each role has registered, and for the rest `__pipeline_programs`: a line for each
    program, its name, a tab, and what it said; none for one that is not there.
    """
    services = [service for name, (service, _) in SERVICES.items() if name in host["group_names"]]
    services += [f"consumer of {group}" for group in _consumed(host)]
    needs, answers = _needs(host), _answers(host)
    versions = [f"{name} {_version(answers[name])}" for name in TOLD if name in needs - {"package"}]
    if "double" in answers["package"]:
        versions[-1] += " (the lab's double)"
    name = host["inventory_hostname"]
    port = f":{host['ansible_port']}" if host.get("ansible_port") else ""
    return (
        name,
        f"{host.get('ansible_host', name)}{port}",
        str(host.get("zerotier_ip", "-")),
        ", ".join(services) or "-",
        ", ".join(versions),
    )


def _consumed(host: Mapping[str, Any]) -> list[str]:
    """Return the metric groups that a host consumes."""
    names = host["group_names"]
    return [name.removeprefix(CONSUMERS) for name in names if name.startswith(CONSUMERS)]


def _needs(host: Mapping[str, Any]) -> set[str]:
    """Return the programs that a host's row shows; the package tells which ZeroTier it is."""
    names = set(SERVICES).intersection(host["group_names"])
    needs = {program for name in names for program in SERVICES[name][1]}
    needs |= {"app", "Spark", "Java"} if _consumed(host) else set()
    return needs | {"ZeroTier", "package"}


def _answers(host: Mapping[str, Any]) -> dict[str, str]:
    """Return what is known of each program, empty where nothing is."""
    asked = host.get("__pipeline_programs", {}).get("stdout_lines", [])
    said = dict(line.split("\t", 1) for line in asked if "\t" in line)
    heard = {name: _found(host, path) for name, path in TOLD.items()}
    restarted = host.get("__zerotier_restarted", {}).get("version")
    return heard | ({"ZeroTier": restarted} if restarted else {}) | said


def _found(host: Mapping[str, Any], path: Sequence[str]) -> str:
    """Return what a path of keys leads to in a host's variables, empty where it ends."""
    found: Any = host
    for key in path:
        found = found.get(key, {})
    return str(found or "")


def _version(answer: str) -> str:
    """Return the version in a program's answer, or that it is not there."""
    if not answer:
        return ABSENT
    found = VERSION.search(answer)
    return found[0] if found else "of unknown version"


def hosts_table(rows: Iterable[Sequence[str]]) -> str:
    """Return the rows under their header, each column as wide as its widest cell."""
    lines = [HEADER, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


class FilterModule(PublicFunctions):
    """The filters of this file."""

    prefix = "pipeline_"
