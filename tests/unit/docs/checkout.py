"""What the checkout has that documents name: read from the files that make it so."""

import contextlib
import io
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from server_monitoring import cli

from tests.support.project import PROJECT

ROLES = tuple(sorted(path.name for path in (PROJECT / "roles").iterdir() if path.is_dir()))
APP = PROJECT / "app/src/server_monitoring"
_PLACEHOLDER = re.compile(r"<[^<>]*>|\{[^{}]*\}")


@cache
def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@cache
def ignored() -> tuple[str, ...]:
    """Return what git ignores: what is made in a checkout, and is not there from the start."""
    lines = (PROJECT / ".gitignore").read_text(encoding="utf-8").split()
    return tuple(line.strip("/") for line in lines)


def is_there(word: str, base: Path) -> bool:
    """Tell whether a path, with `<placeholders>` and `*`, is below `base`."""
    pattern = _PLACEHOLDER.sub("*", word).rstrip("/")
    return any(base.glob(pattern))


def is_made(word: str) -> bool:
    """Tell whether a path is one that git ignores; the lab's inventory stands for any."""
    path = Path(_PLACEHOLDER.sub("lab", word))
    return any(fnmatchcase(str(p), rule) for p in (path, *path.parents) for rule in ignored())


@cache
def file_names() -> frozenset[str]:
    """Return the names of all files, those of templates without their ending too."""
    folders = [p for p in PROJECT.iterdir() if p.is_dir() and not p.name.startswith(".")]
    names = {path.name for folder in folders for path in folder.rglob("*")}
    names |= {path.name for path in PROJECT.iterdir()}
    made = {rule.rpartition("/")[2] for rule in ignored()}
    return frozenset(names | made | {name.removesuffix(".j2") for name in names})


@cache
def makefile() -> str:
    """Return the Makefile's text."""
    return (PROJECT / "Makefile").read_text(encoding="utf-8")


@cache
def targets() -> frozenset[str]:
    """Return the targets that `make` takes."""
    return frozenset(re.findall(r"^([a-z][a-z-]*):(?!=)", makefile(), re.MULTILINE))


@cache
def tags_of(playbook: Path) -> frozenset[str]:
    """Return the tags of a playbook's plays, roles and tasks, and of those that it imports."""
    found: set[str] = set()

    def look(node: object) -> None:
        for item in node if isinstance(node, list) else []:
            found.update(item.get("tags", []))
            for key in ("roles", "tasks", "pre_tasks", "post_tasks", "block"):
                look(item.get(key))
            if "import_playbook" in item:
                found.update(tags_of(playbook.parent / item["import_playbook"]))

    look(_read(playbook))
    return frozenset(found)


def _options(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for name, entry in node.items():
            yield from entry if name == "options" else _options(entry)


@cache
def settings() -> frozenset[str]:
    """Return the variables that roles take: their defaults and their arguments."""
    found: set[str] = set()
    for path in PROJECT.glob("roles/*/defaults/main.yml"):
        found |= set(_read(path) or {})
    for path in PROJECT.glob("roles/*/meta/argument_specs.yml"):
        found |= set(_options(_read(path)))
    return frozenset(found)


@cache
def _ansible_text() -> str:
    """Return all playbooks, tasks and inventories as one text."""
    patterns = ("*.yml", "playbooks/*.yml", "roles/**/*.yml", "inventory/*/**/*.yml")
    paths = sorted(path for pattern in patterns for path in PROJECT.glob(pattern))
    readable = [path for path in paths if not is_made(str(path.relative_to(PROJECT)))]
    return "\n".join(path.read_text(encoding="utf-8") for path in readable)


def is_variable(name: str) -> bool:
    """Tell whether a playbook takes this variable, declared or with a default on the spot."""
    asked = rf"\b{re.escape(name)} \| default\(|^ +{re.escape(name)}: "
    return name in settings() or re.search(asked, _ansible_text(), re.MULTILINE) is not None


@cache
def other_names() -> frozenset[str]:
    """Return names that look like settings and are something else that is there.

    Roles, Ansible's plugins and modules, facts, inventory groups and host variables, keys that the
    app reads or writes.
    """
    plugins = [*PROJECT.glob("roles/*/*/*.py"), *PROJECT.glob("collections/**/plugins/**/*.py")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in APP.rglob("*.py"))
    facts = re.findall(r"^ +(\w+):", _ansible_text(), re.MULTILINE)
    return frozenset(
        {*ROLES, *facts, *(path.stem for path in plugins), *re.findall(r'"(\w+)"', code)}
    )


@cache
def options(command: str) -> frozenset[str]:
    """Return the options that a subcommand of the app explains; of the app itself for ''."""
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.suppress(SystemExit):
        cli.build_parser().parse_args([command, "--help"] if command else ["--help"])
    return frozenset(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", told.getvalue()))
