"""What a systemd unit's properties and journal mean."""

from __future__ import annotations

import re

from server_monitoring.model.names import ERROR_PREFIX, PROGRAM

PROPERTIES = [
    *("Id", "LoadState", "ActiveState", "SubState", "Result", "ExecMainStatus", "StatusText"),
    *("Job", "MemoryMax"),
]
# What a unit ends with that wanted more memory than it may have.
OUT_OF_MEMORY = "oom-kill"
LOG_LINES = 20
# Asks when systemd began to start services: another answer is another boot, of a container too.
BOOT = ["systemctl", "show", "--property=UserspaceTimestampMonotonic"]
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def one_line(text: object, limit: int = 300) -> str:
    """Return what a host said on one line, without control characters."""
    line = " ".join(_CONTROLS.sub(" ", str(text)).split())
    return line if len(line) <= limit else line[: limit - 3] + "..."


def template(unit: str) -> str:
    """Return the template of a unit: a@.service of a@b.service."""
    return f"{unit.partition('@')[0]}@.service"


def show(*units: str) -> list[str]:
    """Return the command that asks for the units' properties."""
    return ["systemctl", "show", *(f"--property={name}" for name in PROPERTIES), *units]


def journal(unit: str) -> list[str]:
    """Return the command that asks for the last lines of a unit's journal.

    Without colours, which it would have on the terminal that ssh gives the command.
    """
    command = ["env", "SYSTEMD_COLORS=0", "journalctl", "--no-pager", "--output=cat"]
    return [*command, f"--lines={LOG_LINES}", f"--unit={unit}"]


def lines(text: str) -> list[str]:
    """Return the lines of a journal that say something."""
    return [line for line in text.splitlines() if line.strip()]


def parse_properties(text: str) -> dict[str, str]:
    """Return what `systemctl show` printed, as a mapping of properties to values."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {name: value for name, _, value in pairs}


def parse_units(text: str, units: int) -> list[dict[str, str]]:
    """Return the properties of each of several units, in the order that they were asked for.

    Lines may end as a terminal's do: ssh gives the command one.
    """
    lines = "\n".join(text.strip().splitlines())
    blocks = [parse_properties(block) for block in lines.split("\n\n")]
    return (blocks + [{} for _ in range(units)])[:units]


def state_of(properties: dict[str, str]) -> str:
    """Return starting, ready, ended or failed for the unit's properties."""
    if properties.get("LoadState") == "not-found":
        return "failed"
    # It would want the same again, and again.
    if properties.get("SubState") == "auto-restart" and properties["Result"] == OUT_OF_MEMORY:
        return "failed"
    if properties.get("Job", "0") not in ("", "0"):
        return "starting"
    active = properties.get("ActiveState")
    if active == "failed":
        return "failed"
    if active == "inactive":
        return "ended" if properties.get("Result") == "success" else "failed"
    return "ready" if active == "active" else "starting"


def reason(log: list[str], properties: dict[str, str]) -> str:
    """Return why the unit failed: its own last error if it gave one, else what systemd saw."""
    if properties.get("LoadState") == "not-found":
        return "no such unit on this host; run provision.yml"
    if properties.get("Result") == OUT_OF_MEMORY:
        is_job = properties.get("Id", "").startswith((f"{PROGRAM}-analyze-", "sm-analyze-"))
        setting = f"pipeline_{'spark' if is_job else 'client'}_memory_max"
        limit = properties.get("MemoryMax", "")
        most = f"{int(limit) >> 20} MiB" if limit.isdigit() else "its machine has"
        return (
            f"found more memory in use than {most}, so the kernel ended it; look for records or "
            f"batches that are far too large, or raise {setting} and provision"
        )
    for line in reversed(log):
        if ERROR_PREFIX in line:
            return line.partition(ERROR_PREFIX)[2]
    result, status = properties.get("Result"), properties.get("ExecMainStatus")
    last = f"; its last line: {log[-1]}" if log else ""
    return f"systemd reports {result}, exit status {status}{last}"
