"""Nothing that is read is run: neither data nor settings nor what nodes answer is a program."""

import json
import re
import subprocess
from collections import ChainMap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from server_monitoring.errors import ServerMonitoringError
from server_monitoring.model.wire import decode_value
from server_monitoring.settings.strict import load_yaml

from tests.support.project import PROJECT
from tests.unit.tools.supply_chain.project_files import all_tasks, tracked

# What would run or build something from text, and ruff's rule for it.
EVALUATING = {
    "S102": "exec(text)",
    "S307": "eval(text)",
    "S301": "import pickle\npickle.loads(text)",
    "S302": "import marshal\nmarshal.loads(text)",
    "S506": "import yaml\nyaml.load(text, Loader=yaml.Loader)",
    "S602": "import subprocess\nsubprocess.run(text, shell=True)",
    "S604": "function(text, shell=True)",
    "S605": "import os\nos.system(text)",
    "S701": "import jinja2\njinja2.Environment()",
    "S314": "import xml.etree.ElementTree as e\ne.fromstring(text)",
    "S202": "import tarfile\ntarfile.open(text).extractall()",
}
MODULES = "collections/ansible_collections/server_monitoring/cluster/plugins/modules"
PLACES = ["app/src/server_monitoring/x.py", f"{MODULES}/x.py", "tools/x.py"]
# A loader that derives from the safe one: tested below.
EXCEPTIONS = {("app/src/server_monitoring/settings/strict.py", "S506")}
SOURCES = [
    path
    for folder in ("app", "collections", "tools")
    for path in sorted((PROJECT / folder).rglob("*.py"))
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("rule", EVALUATING)
def test_the_linter_refuses_what_evaluates_its_input(place: str, rule: str) -> None:
    """In the app, in Ansible's modules and in scripts, with the settings of each."""
    done = subprocess.run(
        ["ruff", "check", "--no-cache", "--output-format=json", f"--stdin-filename={place}", "-"],
        input=EVALUATING[rule],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert rule in {finding["code"] for finding in json.loads(done.stdout)}


def test_no_line_is_exempt_from_that() -> None:
    """Neither by its own comment, by its file's, nor by the settings; the one exception is safe."""
    exempt = set()
    for path in SOURCES:
        for line in path.read_text(encoding="utf-8").splitlines():
            if match := re.search(r"#\s*(?:ruff:\s*)?noqa(?::\s*([A-Z0-9, ]+))?", line):
                assert match[1], (path, line)
                for code in re.findall(r"[A-Z]+[0-9]*", match[1]):
                    if any(rule.startswith(code) for rule in EVALUATING):
                        exempt.add((str(path.relative_to(PROJECT)), code))
    assert exempt == EXCEPTIONS


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['touch {}']",
        "a: !!python/object/new:os.system ['touch {}']",
        "a: !!python/name:os.system",
        "a: !!python/module:os",
    ],
)
def test_settings_that_name_code_are_refused(tmp_path: Path, text: str) -> None:
    """And nothing of it runs."""
    path, made = tmp_path / "config.yml", tmp_path / "made"
    path.write_text(text.format(made), encoding="utf-8")
    with pytest.raises(ServerMonitoringError):
        load_yaml(path)
    assert not made.exists()


@pytest.mark.parametrize(
    "text", ["{{ 7 * 7 }}", "$(id)", "`id`", "${jndi:ldap://x}", "%(x)s", "{0}"]
)
def test_a_record_s_text_stays_text(text: str) -> None:
    """Whatever program would take it for one of its own."""
    value = json.dumps({"ts": "00:00:00", "server_id": text, "cpu_pct": 1.0}).encode()
    assert decode_value(value, "cpu_pct").server_id == text


def test_no_plugin_makes_a_template_of_what_it_is_given() -> None:
    """Ansible renders what stands in the project and the inventory, never what nodes answer."""
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        for name in ("trust_as_template", "TrustedAsTemplate", "Templar(", "from_string("):
            assert name not in text, path


def is_fixed(text: str, where: str) -> bool:
    """Tell whether a text is the same everywhere, or a variable of role or play that is."""
    if variable := re.fullmatch(r"\{\{ (_\w+) \}\}", text):
        path = PROJECT / where
        if path.parent.name == "playbooks":
            plays = yaml.safe_load(path.read_text(encoding="utf-8"))
            variables = dict(ChainMap(*(play.get("vars", {}) for play in plays)))
        else:
            variables = yaml.safe_load(path.parents[1].joinpath("vars/main.yml").read_text())
        text = str(variables.get(variable[1], text))
    return "{{" not in text


def commands_of(task: dict[str, Any]) -> Iterator[list[str]]:
    """Yield the words of each command that a task runs, if they stand there one by one."""
    asked = task.get("server_monitoring.cluster.look", {}).get("commands", {})
    if isinstance(asked, str):  # worked out, of words that stand elsewhere
        assert "'-c'" not in asked, task["name"]
        asked = {}
    for command in (task.get("ansible.builtin.command", {}), *asked.values()):
        words = command.get("argv", []) if isinstance(command, dict) else command
        if isinstance(words, list):
            yield words


def test_no_task_hands_text_to_a_shell() -> None:
    """Commands are lists of arguments; what `sh -c` gets is a fixed text."""
    for where, task in all_tasks():
        assert not {"ansible.builtin.shell", "ansible.builtin.raw"} & set(task), where
        for words in commands_of(task):
            for option, text in pairwise(words):
                assert option != "-c" or is_fixed(text, where), (where, task["name"])
    for path in tracked("roles/*.yml", "playbooks/*.yml"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(lookup|query|q)\(\s*['\"](ansible\.builtin\.)?pipe\b", text), path
