"""Runs the role's modules as Ansible runs them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from ansible.module_utils.testing import patch_module_args
from zerotier_lab import ROLE, Json, load

if TYPE_CHECKING:
    from pathlib import Path

MODULES = {
    name: load(ROLE / f"library/zerotier_{name}.py", f"zerotier_module_{name}")
    for name in ("network", "member", "membership", "ready", "reach", "info")
}


class Runner:
    """Runs modules against one home directory."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Use the service whose home directory is `home`."""
        self._home, self._capsys = home, capsys

    def run(self, name: str, /, *, check: bool = False, **arguments: Any) -> Json:
        """Run a module; return what it prints, with `failed` where it failed."""
        home = {} if name == "reach" else {"home": str(self._home)}
        given = home | arguments | {"_ansible_check_mode": check}
        with patch_module_args(given), pytest.raises(SystemExit):
            MODULES[name].main()
        result: Json = json.loads(self._capsys.readouterr().out)
        return result
