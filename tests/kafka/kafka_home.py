#!/usr/bin/env python3
"""Print the path of a Kafka tree for tests on this machine: the role's archive, unpacked once.

usage: python3 -m tests.kafka.kafka_home [VERSION]
"""

import json
import subprocess
import sys
from pathlib import Path

from tests.support.project import PROJECT

CACHE = PROJECT / ".cache" / "kafka"


def version() -> str:
    """Return the release that the role installs."""
    defaults = (PROJECT / "roles" / "kafka" / "defaults" / "main.yml").read_text(encoding="utf-8")
    lines = [line for line in defaults.splitlines() if line.startswith("kafka_version:")]
    return lines[0].partition(":")[2].strip()


def releases() -> list[str]:
    """Return all releases that the role can install, the oldest first."""
    folders = (PROJECT / "files" / "kafka" / "releases").iterdir()
    return sorted((f.name for f in folders), key=lambda name: [int(n) for n in name.split(".")])


def home(release: str) -> Path:
    """Return the tree of a release; assemble and unpack it where that was not done before."""
    builder = PROJECT / "tools" / "kafka" / "build_archive.py"
    command = [sys.executable, str(builder), "--kafka-version", release, "--cache", str(CACHE)]
    built = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    tree = CACHE / f"tree-{built['sha256'][:12]}"
    if not tree.exists():
        part = tree.with_suffix(".part")
        part.mkdir()
        # Not by tarfile: Debian 12's own Python 3.11 does not know its filters yet.
        unpack = ["tar", "--extract", f"--file={built['path']}", f"--directory={part}"]
        subprocess.run(unpack, check=True)
        next(part.iterdir()).rename(tree)
        part.rmdir()
    return tree


if __name__ == "__main__":
    sys.stdout.write(f"{home(*sys.argv[1:] or [version()])}\n")
