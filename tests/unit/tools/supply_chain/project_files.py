"""The project's own files, and the tasks of its roles and playbooks."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.support.project import PROJECT


def tracked(*patterns: str) -> list[Path]:
    """Return the project's own files of some names."""
    names = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    done = subprocess.run(names, cwd=PROJECT, check=True, capture_output=True, text=True)
    found = [PROJECT / name for name in done.stdout.splitlines()]
    assert found
    return found


def tasks(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every task of a file, also those within blocks."""
    for entry in node if isinstance(node, list) else []:
        if isinstance(entry, dict):
            yield entry
            for part in ("block", "rescue", "always", "tasks", "handlers", "pre_tasks"):
                yield from tasks(entry.get(part))


def all_tasks() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every task of roles and playbooks with the file that it stands in."""
    for path in tracked("roles/*.yml", "playbooks/*.yml", "*.yml"):
        for task in tasks(yaml.safe_load(path.read_text(encoding="utf-8"))):
            yield str(path.relative_to(PROJECT)), task
