"""Runs the ZeroTier modules as Ansible runs them, and watches what they do."""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args
from ansible_collections.server_monitoring.cluster.plugins.module_utils.zerotier import (
    module as zerotier_module,
)
from ansible_collections.server_monitoring.cluster.plugins.module_utils.zerotier.api import LocalApi

from tests.support.project import PLUGINS, PLUGINS_PACKAGE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.zerotier_lab import Cluster, Json

FILES = {
    file.stem.removeprefix("zerotier_"): file
    for file in sorted((PLUGINS / "modules").glob("zerotier_*.py"))
}
MODULES = {name: import_module(f"{PLUGINS_PACKAGE}.modules.zerotier_{name}") for name in FILES}
# What each module hands to its frame, module.run; test_modules holds it against them.
WORK = dict.fromkeys(MODULES, "keep") | {
    "info": "report",
    "peers": "look",
    "reach": "reach",
    "ready": "wait",
}
HOMELESS = ("reach",)
ON_CONTROLLER = ("network", "member")


class Runner:
    """Runs modules against one home directory."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Use the service whose home directory is `home`."""
        self.home, self._capsys = home, capsys

    def run(self, name: str, /, *, check: bool = False, **arguments: Any) -> Json:
        """Run a module; return what it prints: `failed` where it failed, `warnings` as texts."""
        module = MODULES[name]
        given = self._place(name) | arguments | {"_ansible_check_mode": check}
        told: list[str] = []

        # Ansible keeps warnings for a whole process, and prints them in one that loaded plugins.
        def warn(_module: AnsibleModule, warning: str) -> None:
            told.append(warning)

        with (
            patch_module_args(given),
            patch.object(AnsibleModule, "warn", warn),
            pytest.raises(SystemExit),
        ):
            zerotier_module.run(module.ARGUMENTS, getattr(module, WORK[name]))
        result: Json = json.loads(self._capsys.readouterr().out)
        return result | {"warnings": told}

    def _place(self, name: str) -> Json:
        if name in HOMELESS:
            return {}
        place = {"home": str(self.home)}
        return {"controller": place} if name in ON_CONTROLLER else place


def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list in which every later request to a node's API is written down."""
    written: list[str] = []
    send = LocalApi._request  # noqa: SLF001

    def write_down(api: Any, method: str, path: str, body: Any) -> Any:
        written.append(f"{method} {path}")
        return send(api, method, path, body)

    monkeypatch.setattr(LocalApi, "_request", write_down)
    return written


class Clock:
    """Stands in for a module's `time`: sleeping takes no time, but passes it on the wire."""

    def __init__(self, cluster: Cluster) -> None:
        """Start with nothing slept."""
        self._cluster, self.slept = cluster, list[float]()

    def monotonic(self) -> float:
        """Return the time in seconds."""
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        """Let every node of the double live on for a second."""
        self.slept.append(seconds)
        self._cluster.wire.pass_time(1)


def passing_time(monkeypatch: pytest.MonkeyPatch, name: str, cluster: Cluster) -> Clock:
    """Let the nodes live on while a module waits; return what it waits by."""
    clock = Clock(cluster)
    monkeypatch.setattr(MODULES[name], "time", clock)
    return clock


def changing(requests: list[str]) -> list[str]:
    """Return the requests that are no mere questions."""
    return [request for request in requests if not request.startswith("GET ")]


def content(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return every file's mode and bytes by its name below a folder."""
    return {
        str(file.relative_to(folder)): (file.stat().st_mode, file.read_bytes())
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
