#!/usr/bin/env python3
"""Print the path of a Kafka tree for tests on this machine: the role's archive, unpacked once."""

import json
import subprocess
import sys

from tests.support.project import PROJECT

CACHE = PROJECT / ".cache" / "kafka"


def version() -> str:
    """Return the release that the role installs."""
    defaults = (PROJECT / "roles" / "kafka" / "defaults" / "main.yml").read_text(encoding="utf-8")
    lines = [line for line in defaults.splitlines() if line.startswith("kafka_version:")]
    return lines[0].partition(":")[2].strip()


def main() -> None:
    """Assemble and unpack the archive where that was not done before, and print where it is."""
    builder = PROJECT / "tools" / "kafka" / "build_archive.py"
    command = [sys.executable, str(builder), "--kafka-version", version(), "--cache", str(CACHE)]
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
    sys.stdout.write(f"{tree}\n")


if __name__ == "__main__":
    main()
