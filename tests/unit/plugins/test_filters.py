"""What Ansible finds in the files of filters."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from tests.support.project import COLLECTION, PLUGINS, PLUGINS_PACKAGE, PROJECT

FILES = sorted(file.stem for file in (PLUGINS / "filter").glob("*.py"))
PLANTED = f"""\
from os.path import join
from {PLUGINS_PACKAGE}.plugin_utils.filters import PublicFunctions

def told(value):
    return _own(value)

def _own(value):
    return value

class FilterModule(PublicFunctions):
    prefix = "planted_"
"""


def test_public_functions_of_a_file_are_its_filters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither what it keeps to itself, nor what it imports, nor a class."""
    (tmp_path / "planted_filters.py").write_text(PLANTED)
    monkeypatch.syspath_prepend(tmp_path)
    planted = import_module("planted_filters")
    assert planted.FilterModule().filters() == {"planted_told": planted.told}


def test_tasks_use_what_is_offered_and_nothing_else() -> None:
    """By its name in full; so no function is a filter by mistake, and none is left over."""
    offered = [
        name
        for file in FILES
        for name in import_module(f"{PLUGINS_PACKAGE}.filter.{file}").FilterModule().filters()
    ]
    files = [path for part in ("roles", "playbooks") for path in (PROJECT / part).rglob("*")]
    texts = [path.read_text() for path in files if path.suffix in {".yml", ".j2"}]
    used = {name for text in texts for name in re.findall(rf"{re.escape(COLLECTION)}\.(\w+)", text)}
    programs = {file.stem for kind in ("action", "modules") for file in (PLUGINS / kind).iterdir()}
    assert sorted(offered) == sorted(used - programs)
