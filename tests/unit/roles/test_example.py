"""What the example inventory says of its settings is what the roles do."""

import re
from typing import Any

import pytest
import yaml

from tests.support.project import PROJECT

EXAMPLE = PROJECT / "inventory" / "example" / "group_vars" / "all" / "main.yml"
_SETTING = re.compile(r"(?:# )?[a-z]+_[a-z_]+:(?: |$)")
_MORE = re.compile(r"#?  +\S")


def _roles(name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in sorted((PROJECT / "roles").glob(f"*/{name}")):
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        specs = content.get("argument_specs")
        entries = [entry["options"] for entry in specs.values()] if specs else [content]
        for entry in entries:
            found |= entry
    return found


DEFAULTS = _roles("defaults/main.yml")
DECLARED = {**_roles("meta/argument_specs.yml"), **DEFAULTS, "ansible_user": None}


def _settings() -> list[tuple[str, Any, str, bool]]:
    """Return name, value and comment of each setting, and whether it is switched off."""
    found = []
    for paragraph in EXAMPLE.read_text(encoding="utf-8").split("\n\n"):
        comment, blocks = "", list[list[str]]()
        for line in paragraph.splitlines():
            if _SETTING.match(line):
                blocks.append([line])
            elif blocks and _MORE.match(line):
                blocks[-1].append(line)
            else:
                comment += f"{line.lstrip('# ')} "
        for block in blocks:
            off = block[0].startswith("#")
            text = "\n".join(line.removeprefix("# ") if off else line for line in block)
            [(name, value)] = yaml.safe_load(text).items()
            # A line to edit stands for no default.
            edited = "<--" in text
            found.append((name, value, comment + ("<--" if edited else ""), off))
    return found


SETTINGS = _settings()


def test_the_example_is_read_as_it_is_meant() -> None:
    """Settings that are on, off, of several lines, and lines to edit."""
    names = [name for name, *_ in SETTINGS]
    assert {"kafka_heap", "pipeline_thresholds", "firewall_enabled", "ansible_user"} <= {*names}


@pytest.mark.parametrize("name", sorted({name for name, *_ in SETTINGS}))
def test_every_setting_of_the_example_is_one_of_a_role(name: str) -> None:
    """Whoever takes its comment sign away sets something."""
    assert name in DECLARED or name in ("zerotier_network_name", "zerotier_network_cidr")


@pytest.mark.parametrize(("name", "value", "comment", "off"), SETTINGS)
def test_what_a_comment_says_of_a_default_is_so(
    name: str, value: Any, comment: str, *, off: bool
) -> None:
    """A switch shows the other state; what is called a default, or is set as one, is the role's."""
    if isinstance(value, bool):
        assert off
        assert value is not DEFAULTS[name]
        assert ("On unless you turn it off" in comment) is DEFAULTS[name]
        assert ("Off unless you turn it on" in comment) is not DEFAULTS[name]
    plain = name in DEFAULTS and "{{" not in str(DEFAULTS[name])
    if plain and "<--" not in comment and (not off or "the defaults" in comment):
        assert value == DEFAULTS[name]
