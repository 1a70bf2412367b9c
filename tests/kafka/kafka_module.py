"""Kafka's Ansible modules as Ansible starts them, in a process of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.project import PLUGINS_PACKAGE, PROJECT

APP = PROJECT / "app" / "src"
_RUN = """\
import runpy, sys
import ansible.module_utils.basic as basic
basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = sys.stdin.buffer.read(), "legacy"
runpy.run_module(sys.argv[1], run_name="__main__")
"""


def run_module(name: str, arguments: dict[str, Any], app: Path = APP) -> dict[str, Any]:
    """Run a module beside an app; return its result, with all that it printed as `output`."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN, f"{PLUGINS_PACKAGE}.modules.{name}"],
        env=os.environ | {"PYTHONPATH": f"{PROJECT / 'collections'}:{app}"},
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
        capture_output=True,
        text=True,
        check=False,
        timeout=400,  # above what modules are told to wait
    )
    assert done.stdout, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result | {"output": done.stdout + done.stderr}
