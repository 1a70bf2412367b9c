"""Each role says what it takes: its argument_specs and its defaults name the same variables."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.project import PROJECT

ROLES = sorted(path.name for path in (PROJECT / "roles").iterdir() if path.is_dir())


def read(path: Path) -> dict[str, Any]:
    """Return a YAML file's mapping, empty where there is no file."""
    return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.exists() else {}


@pytest.mark.parametrize("role", ROLES)
def test_argument_specs_name_the_defaults(role: str) -> None:
    """Every default is described, and everything described has a default or is required."""
    folder = PROJECT / "roles" / role
    options = read(folder / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    defaults = read(folder / "defaults" / "main.yml")
    required = {name for name, option in options.items() if option.get("required")}
    assert set(options) == set(defaults) | required
    assert not required & set(defaults)


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
    folder = PROJECT / "roles" / "zerotier"
    options = read(folder / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    assert "default" not in options[name]
    assert "ansible.builtin.env" in read(folder / "defaults" / "main.yml")[name]


@pytest.mark.parametrize("role", ROLES)
def test_each_option_is_described_and_bears_its_role_s_name(role: str) -> None:
    """A variable's name tells whose it is, its description what it does."""
    path = PROJECT / "roles" / role / "meta" / "argument_specs.yml"
    for name, option in read(path)["argument_specs"]["main"]["options"].items():
        assert name.startswith(f"{role}_"), name
        assert option["description"].endswith("."), name
        assert option["type"], name
