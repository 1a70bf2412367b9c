"""What ansible-doc shows of the modules, against what they take."""

from __future__ import annotations

import json
import subprocess
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.support.project import COLLECTION, PLUGINS, PLUGINS_PACKAGE, PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
KEYS = ("type", "default", "required", "choices", "elements")
NAMES = sorted(
    file.stem
    for pattern in ("zerotier_*.py", "kafka_*.py", "files.py")
    for file in (PLUGINS / "modules").glob(pattern)
)


@pytest.fixture(scope="module")
def shown() -> Json:
    """Return what ansible-doc knows of each module, with the fragments that it extends."""
    command = ["ansible-doc", "--type=module", "--json", *(f"{COLLECTION}.{n}" for n in NAMES)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    found: Json = json.loads(done.stdout)
    return {name.removeprefix(f"{COLLECTION}."): module for name, module in found.items()}


def facts(option: Json, nested: str) -> Json:
    """Return what documentation and arguments must agree on; `nested` names the suboptions."""
    found = {key: option[key] for key in KEYS if key in option}
    below = {name: facts(one, nested) for name, one in option.get(nested, {}).items()}
    return found | ({"nested": below} if below else {})


@pytest.mark.parametrize("name", NAMES)
def test_documentation_names_the_arguments(name: str, shown: Json) -> None:
    """Each option has the type, default and choices that the module takes, suboptions too."""
    options = shown[name]["doc"]["options"]
    arguments = import_module(f"{PLUGINS_PACKAGE}.modules.{name}").ARGUMENTS
    assert {key: facts(one, "suboptions") for key, one in options.items()} == {
        key: facts(one, "options") for key, one in arguments.items()
    }


def described(options: Json) -> Iterator[str]:
    """Yield the description of every option and suboption."""
    for option in options.values():
        said = option["description"]
        yield from [said] if isinstance(said, str) else said
        yield from described(option.get("suboptions", {}))


@pytest.mark.parametrize("name", NAMES)
def test_documentation_is_in_sentences(name: str, shown: Json) -> None:
    """What an option does and what a module returns is told, and the example is YAML of it."""
    doc = shown[name]["doc"]
    assert doc["module"] == name
    lines = [*described(doc["options"]), *described(shown[name]["return"]), *doc["description"]]
    assert [line for line in lines if not line.strip().endswith(".")] == []
    assert f"{COLLECTION}.{name}" in yaml.safe_load(shown[name]["examples"])[0]
