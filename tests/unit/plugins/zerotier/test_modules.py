"""What holds for every ZeroTier module: its start, its secrets, its uses."""

from __future__ import annotations

import ast
import json
import re
import runpy
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

from tests.support.project import PROJECT
from tests.support.zerotier_lab import ROLE, Json
from tests.support.zerotier_runner import FILES, HOMELESS, MODULES, ON_CONTROLLER, WORK

if TYPE_CHECKING:
    from collections.abc import Iterator

IMPORT = re.compile(r"(?:import_tasks|include_tasks|tasks_from): (\S+)")
PREFIX = "server_monitoring.cluster.zerotier_"


def secrets(arguments: Json) -> set[str]:
    """Return the names of arguments that are never logged, suboptions too."""
    own = {name for name, argument in arguments.items() if argument.get("no_log")}
    return own.union(*(secrets(argument.get("options", {})) for argument in arguments.values()))


def test_secrets_are_never_logged() -> None:
    """Central's token and the archive with the node's identity are marked as secret."""
    found = {name: secrets(module.ARGUMENTS) for name, module in MODULES.items()}
    assert {name: held for name, held in found.items() if held} == {
        "network": {"token"},
        "member": {"token"},
        "backup": {"archive"},
    }


@pytest.mark.parametrize("name", MODULES)
def test_module_starts_as_ansible_starts_it(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run as a program it hands its arguments and the tested function to the modules' frame."""
    monkeypatch.delitem(sys.modules, MODULES[name].__name__)
    with patch_module_args({"unknown": 1}), pytest.raises(SystemExit) as ended:
        runpy.run_module(MODULES[name].__name__, run_name="__main__")
    assert ended.value.code == 1
    assert json.loads(capsys.readouterr().out)["failed"]
    last = ast.parse(FILES[name].read_text("utf-8")).body[-1]
    assert isinstance(last, ast.If)
    assert ast.unparse(last.body[0]) == f"run(ARGUMENTS, {WORK[name]})"


def test_every_module_knows_where_the_service_lives() -> None:
    """The home directory is an argument, of its own or of the network's keeper."""
    homes = {name: module.ARGUMENTS.get("home") for name, module in MODULES.items()}
    assert {name for name, home in homes.items() if home is None} == {*HOMELESS, *ON_CONTROLLER}
    kept = [MODULES[name].ARGUMENTS["controller"]["options"]["home"] for name in ON_CONTROLLER]
    given = [home for home in (*homes.values(), *kept) if home]
    assert all(home == {"type": "path", "default": "/var/lib/zerotier-one"} for home in given)


def tasks(node: Any) -> Iterator[Json]:
    """Yield every task of a file, those of blocks too."""
    for task in node or []:
        yield task
        yield from tasks(task.get("block"))


def used() -> list[tuple[str, str, Json]]:
    """Return file, module and arguments of each task that runs one of these modules."""
    files = sorted((ROLE / "tasks").glob("*.yml"))
    importing = [*files, *(PROJECT / "playbooks").glob("*.yml")]
    named = {name for file in importing for name in IMPORT.findall(file.read_text("utf-8"))}
    return [
        (file.name, key.removeprefix(PREFIX), arguments or {})
        for file in files
        if file.name in {"main.yml", *named}
        for task in tasks(yaml.safe_load(file.read_text("utf-8")))
        for key, arguments in task.items()
        if key.removeprefix(PREFIX) in MODULES and key.startswith(PREFIX)
    ]


def test_tasks_pass_what_the_modules_take() -> None:
    """No task names an argument that its module does not have, or leaves out a required one."""
    found = used()
    assert {name for _, name, _ in found} == set(MODULES)
    for file, name, arguments in found:
        known = MODULES[name].ARGUMENTS
        required = {key for key, argument in known.items() if argument.get("required")}
        assert required <= arguments.keys() <= known.keys(), (file, name)
