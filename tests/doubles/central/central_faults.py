"""What the fake does wrong on purpose: for requests that a pattern names, for so many times."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field, fields


class FaultError(ValueError):
    """A fault that is described wrongly; its one line says how."""


@dataclass
class Fault:
    """One thing to do wrong.

    request: pattern for the whole of "METHOD /path" (the path below /api/v1).
    status: what to answer, 0 for the true answer; text: the answer's body, else Central's usual.
    times: for how many requests, None for all; headers: further ones.
    connection: "close" without doing anything, "lose" the answer of what was done.
    seconds: how long to wait first.
    """

    request: str
    status: int = 0
    text: str = ""
    times: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    connection: str = ""
    seconds: float = 0.0


class Faults:
    """The faults that are still to come; the first that fits a request is used."""

    def __init__(self) -> None:
        """Start with none."""
        self._all: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Do wrong from now on."""
        with self._lock:
            self._all.append(fault)

    def take(self, request: str) -> Fault | None:
        """Return the fault for a request and count it, or None."""
        with self._lock:
            for fault in self._all:
                if fault.times != 0 and re.fullmatch(fault.request, request):
                    fault.times = None if fault.times is None else fault.times - 1
                    return fault
        return None


def parse(text: str) -> Fault:
    """Return the fault that a JSON object describes."""
    names = {one.name for one in fields(Fault)}
    try:
        described = json.loads(text)
    except ValueError as problem:
        message = f"fault {text!r} is no JSON: {problem}"
        raise FaultError(message) from problem
    if not isinstance(described, dict) or "request" not in described or described.keys() - names:
        message = f"fault {text!r}: expected an object with request and of {sorted(names)}"
        raise FaultError(message)
    if described.get("connection", "") not in {"", "close", "lose"}:
        message = f"fault {text!r}: connection is close or lose"
        raise FaultError(message)
    return Fault(**described)
