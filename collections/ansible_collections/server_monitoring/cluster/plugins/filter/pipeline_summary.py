"""Hosts with their services, versions and addresses, as the table that ends provisioning."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

HEADER = ("host", "reached at", "on the overlay", "services", "versions")
# The service of a group, and the programs that it needs beside ZeroTier.
SERVICES: dict[str, tuple[str, Sequence[str]]] = {
    "zerotier_controller": ("ZeroTier controller", ()),
    "zerotier_moons": ("ZeroTier root", ()),
    "kafka": ("Kafka broker", ("Kafka", "Java")),
    "producers": ("producer", ("app",)),
}
CONSUMERS = "consumers_"
VERSION = re.compile(r"\d+(?:\.\d+)+(?:[-+.]?\w+)*")
ABSENT = "not installed yet"


def host_row(host: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a host's row; `host` are its variables, with the answers of its programs."""
    names = [name for name in SERVICES if name in host["group_names"]]
    services = [SERVICES[name][0] for name in names]
    needs = {"ZeroTier", *(program for name in names for program in SERVICES[name][1])}
    for name in host["group_names"]:
        if name.startswith(CONSUMERS):
            services.append(f"consumer of {name.removeprefix(CONSUMERS)}")
            needs |= {"app", "Spark", "Java"}
    answers = {answer["item"]["name"]: answer for answer in host["__pipeline_programs"]["results"]}
    versions = [f"{name} {version(answers[name])}" for name in answers if name in needs]
    if "double" in answers["package"].get("stdout", ""):
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


def version(answer: Mapping[str, Any]) -> str:
    """Return the version in a program's answer, or that it is not there."""
    if answer.get("rc", 1) != 0:
        return ABSENT
    found = VERSION.search(answer.get("stdout") or answer.get("stderr") or "")
    return found[0] if found else "of unknown version"


def hosts_table(rows: Iterable[Sequence[str]]) -> str:
    """Return the rows under their header, each column as wide as its widest cell."""
    lines = [HEADER, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by the names that tasks use."""
        return {"pipeline_host_row": host_row, "pipeline_hosts_table": hosts_table}
