"""What may be wrong with a document: each check returns its faults, a line each."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from server_monitoring.cli import COMMANDS

from tests.support.project import PROJECT
from tests.unit.docs import checkout
from tests.unit.docs.markdown import Document, words_of

_ELSEWHERE = re.compile(r"[a-z]+:|//", re.IGNORECASE)
_PATH = re.compile(r"[\w.<>*{},@-]+(?:/[\w.<>*{},@-]+)*/?")
_ADDRESS = re.compile(r"[0-9.]+/[0-9]+")
_FILE = re.compile(r"[\w-]+\.(?:py|yml|md|sh|cfg|toml|txt|j2)")
_SETTING = re.compile(rf"(?<![\w./<>-])((?:{'|'.join(checkout.ROLES)})_\w+)(\*?)(?![\w.<-])")
_COMMAND = re.compile(r"[a-z][a-z-]*")
_VALUED = {"-i", "--inventory", "-e", "--extra-vars", "--limit", "--tags", "--skip-tags"}
_PLAIN = {"--check", "--diff", "-v", "-vvv", "--ask-become-pass"}


def broken_links(document: Document) -> list[str]:
    """Return links to files, or to headings, that are not there."""
    faults = []
    for link in document.links:
        if _ELSEWHERE.match(link):
            continue
        name, _, anchor = link.partition("#")
        path = document.path.parent / name if name else document.path
        if name and not path.exists():
            faults.append(f"link {link}: no such file")
        elif anchor and anchor not in _read(path, document).anchors:
            faults.append(f"link {link}: no such heading")
    return faults


def _read(path: Path, document: Document) -> Document:
    known = path == document.path
    return document if known else Document(path, path.read_text(encoding="utf-8"))


def missing_paths(document: Document) -> list[str]:
    """Return paths and names of files in code that the checkout neither has nor makes."""
    bases = (PROJECT, document.path.parent, checkout.APP)
    return [
        f"path {word}: not there"
        for word in dict.fromkeys(_paths(document))
        if not checkout.is_made(word) and not any(checkout.is_there(word, base) for base in bases)
    ] + [
        f"file {word}: none of this name"
        for word in dict.fromkeys(w for line in document.code for w in words_of(line))
        if _FILE.fullmatch(word) and word not in checkout.file_names()
    ]


def _paths(document: Document) -> Iterator[str]:
    """Yield the relative paths that stand in code."""
    for line in document.code:
        for word in words_of(line):
            path = word.rpartition("=")[2].strip("\"'[](),;:")
            if "/" in path and _PATH.fullmatch(path) and not _ADDRESS.fullmatch(path):
                yield path


def unknown_targets(document: Document) -> list[str]:
    """Return what `make` is told and does not know: targets, and variables."""
    faults = []
    for arguments in document.commands("make"):
        for word in arguments:
            name, is_variable, _ = word.partition("=")
            if is_variable and not re.search(rf"\({name}[,)]", checkout.makefile()):
                faults.append(f"make {word}: the Makefile uses no {name}")
            elif not is_variable and name not in checkout.targets():
                faults.append(f"make {word}: no such target")
    return faults


def unknown_playbooks(document: Document) -> list[str]:
    """Return playbooks, tags, variables and options of ansible-playbook that are not there."""
    faults = []
    for arguments in document.commands("ansible-playbook"):
        words = iter(arguments)
        given: list[tuple[str, str]] = []
        playbooks = []
        for word in words:
            name, has_value, value = word.partition("=")
            if name in _VALUED:
                given.append((name, value if has_value else next(words, "")))
            elif word.startswith("-") and word not in _PLAIN:
                faults.append(f"ansible-playbook {word}: no option that is known here")
            elif not word.startswith("-"):
                playbooks.append(word)
        missing = [name for name in playbooks if not (PROJECT / name).is_file()]
        faults += [f"ansible-playbook {name}: no such playbook" for name in missing]
        if not missing:
            faults += _unknown_values(playbooks, given)
    return faults


def _unknown_values(playbooks: list[str], given: list[tuple[str, str]]) -> Iterator[str]:
    tags = {tag for name in playbooks for tag in checkout.tags_of(PROJECT / name)}
    for option, value in given:
        if option in {"--tags", "--skip-tags"}:
            for tag in value.split(","):
                if tag not in tags:
                    yield f"{option} {tag}: no tag of {', '.join(playbooks)}"
        elif option in {"-e", "--extra-vars"}:
            names = json.loads(value) if value.startswith("{") else [value.partition("=")[0]]
            for name in names:
                if not checkout.is_variable(name):
                    yield f"{option} {name}: no playbook takes it"


def unknown_settings(document: Document) -> list[str]:
    """Return names that begin with a role's and are neither settings nor anything else there."""
    known = checkout.settings() | checkout.other_names()
    return [
        f"setting {name}{star}: no role has it"
        for name, star in dict.fromkeys(_SETTING.findall("\n".join(document.code)))
        if name not in known and not (star and any(k.startswith(name) for k in known))
    ]


def unknown_options(document: Document) -> list[str]:
    """Return subcommands and options of the app that its parser does not know."""
    faults = []
    for arguments in document.commands("server-monitoring"):
        first = arguments[0] if arguments else ""
        command = first if _COMMAND.fullmatch(first) else ""
        if command and command not in COMMANDS:
            faults.append(f"server-monitoring {command}: no such command")
            continue
        faults += [
            f"server-monitoring {command} {word}: no such option"
            for word in arguments
            if word.startswith("-") and word.partition("=")[0] not in checkout.options(command)
        ]
    return faults


CHECKS = (
    broken_links,
    missing_paths,
    unknown_targets,
    unknown_playbooks,
    unknown_settings,
    unknown_options,
)


def faults_of(document: Document) -> list[str]:
    """Return all faults of a document."""
    return [fault for check in CHECKS for fault in check(document)]
