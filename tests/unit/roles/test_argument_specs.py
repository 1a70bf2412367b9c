"""Each role says what it takes: its argument_specs and its defaults name the same variables."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.project import PROJECT

FOLDERS = sorted(path for path in (PROJECT / "roles").iterdir() if path.is_dir())
# Its defaults are shared by other roles, each of which describes what is its own.
SHARED = "kafka_cluster"
ROLES = [folder.name for folder in FOLDERS if folder.name != SHARED]


def read(path: Path) -> dict[str, Any]:
    """Return a YAML file's mapping, empty where there is no file."""
    return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.exists() else {}


def described(role: str) -> dict[str, Any]:
    """Return the options that a role describes."""
    specs = read(PROJECT / "roles" / role / "meta" / "argument_specs.yml")
    options: dict[str, Any] = specs["argument_specs"]["main"]["options"]
    return options


def defaults(role: str) -> set[str]:
    """Return the variables that a role has a default for."""
    return set(read(PROJECT / "roles" / role / "defaults" / "main.yml"))


@pytest.mark.parametrize("role", ROLES)
def test_argument_specs_name_the_defaults(role: str) -> None:
    """Every default is described, and everything described has a default or is required."""
    options = described(role)
    required = {name for name, option in options.items() if option.get("required")}
    assert set(options) - defaults(SHARED) == defaults(role) | required
    assert not required & defaults(role)


def test_no_variable_has_a_default_in_two_roles() -> None:
    """Who changes a default changes the only one."""
    count = Counter(name for folder in FOLDERS for name in defaults(folder.name))
    assert [name for name, roles in count.items() if roles > 1] == []


def test_each_shared_default_is_described_by_one_role_that_depends_on_it() -> None:
    """There its value is checked, once a play."""
    users = [folder.name for folder in FOLDERS if SHARED in dependencies(folder)]
    count = Counter(name for role in users for name in described(role))
    assert {name: count[name] for name in defaults(SHARED)} == dict.fromkeys(defaults(SHARED), 1)


def dependencies(folder: Path) -> list[str]:
    """Return the roles that a role depends on."""
    return [found["role"] for found in read(folder / "meta" / "main.yml")["dependencies"]]


def test_no_task_has_a_default_of_its_own_for_a_shared_one() -> None:
    """A copy of a default is one in disguise; a word for an empty value is none."""
    copied = re.compile(rf"\b({'|'.join(sorted(defaults(SHARED)))}) \| default\((?!.*, true\))")
    places = [*(PROJECT / "roles").rglob("*.yml"), *(PROJECT / "roles").rglob("*.j2")]
    places += [*(PROJECT / "playbooks").glob("*.yml"), *PROJECT.glob("*.yml")]
    found = {str(path): copied.findall(path.read_text(encoding="utf-8")) for path in places}
    assert {path: names for path, names in found.items() if names} == {}


def defaults_in(node: object) -> Iterator[object]:
    """Yield every default of a specification, of suboptions and every entry point too."""
    if isinstance(node, dict):
        if "default" in node:
            yield node["default"]
        for below in node.values():
            yield from defaults_in(below)


@pytest.mark.parametrize("role", ROLES)
def test_no_described_default_looks_anything_up(role: str) -> None:
    """Ansible prints the whole specification, lookups done, when one value does not fit it."""
    specs = read(PROJECT / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"]
    found = [
        default for default in defaults_in(specs) if re.search(r"lookup|query|q\(", str(default))
    ]
    assert found == []


@pytest.mark.parametrize("name", ["zerotier_central_token", "zerotier_backup_password"])
def test_secret_has_no_described_default(name: str) -> None:
    """It comes from the environment by the role's defaults alone."""
    assert "default" not in described("zerotier")[name]
    path = PROJECT / "roles" / "zerotier" / "defaults" / "main.yml"
    assert "ansible.builtin.env" in read(path)[name]


@pytest.mark.parametrize("role", ROLES)
def test_each_option_is_described_and_bears_its_role_s_name(role: str) -> None:
    """A variable's name tells whose it is, its description what it does."""
    for name, option in described(role).items():
        assert name.startswith(f"{role}_"), name
        assert option["description"].endswith("."), name
        assert option["type"], name
