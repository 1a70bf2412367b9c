"""Copies of the lab's inventory with one thing changed."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.support.project import PROJECT


def changed(folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Copy the lab's inventory into a folder, let `change` alter its hosts, and return its path."""
    copy = folder / "inventory"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(PROJECT / "inventory" / "lab", copy)
    hosts = yaml.safe_load((copy / "hosts.yml").read_text(encoding="utf-8"))
    change(hosts["all"])
    (copy / "hosts.yml").write_text(yaml.safe_dump(hosts, sort_keys=False), encoding="utf-8")
    return copy
