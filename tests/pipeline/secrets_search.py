"""Looks for the cluster's secrets where they must not be. A secret is never in an argument."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.support.playbooks import AS_ROOT
from tests.support.project import PROJECT

VAULT = PROJECT / "inventory" / "lab" / "group_vars" / "all" / "secrets.yml"
KEYS = "grep --no-messages --no-filename --text -A1 'BEGIN PRIVATE KEY' /etc/kafka/broker.pem"


def feed(node: str, script: str, text: str) -> str:
    """Run a script on a node, which reads `text`, and return what it prints."""
    command = [*AS_ROOT, "podman", "--runtime=runc", "exec", "--interactive", node, "bash", "-c"]
    done = subprocess.run(
        [*command, script], input=text, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def secrets() -> dict[str, str]:
    """Return every secret by its name: passwords, passphrases, the vault's, the broker's key."""
    shown = subprocess.run(
        ["ansible-vault", "view", str(VAULT)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, str] = json.loads(shown.stdout)
    told = ("kafka_access_suffix", "kafka_access_given_")  # which users, and which hosts
    found = {name: value for name, value in found.items() if not name.startswith(told)}
    key = feed("kafka-1", KEYS, "").splitlines()[-1]
    password = (PROJECT / ".vault-password").read_text(encoding="utf-8").strip()
    return found | {"key of the broker": key, "password of the vault": password}


def files_on(node: str, values: Iterable[str]) -> list[str]:
    """Return the files of a node that hold one of the values."""
    search = (
        "grep --recursive --no-messages --text --fixed-strings --files-with-matches --file=- "
        "--devices=skip --exclude-dir={proc,sys,dev} / | sort"
    )
    return feed(node, search, "\n".join(values)).splitlines()


def lines_on(node: str, source: str, values: Iterable[str]) -> int:
    """Return how many lines of a command's output hold one of the values."""
    search = 'grep --text --count --fixed-strings --file=<(echo "$values")'
    count = f"values=$(cat); {{ {source}; }} | {search}"
    return int(feed(node, count, "\n".join(values)))


def files_below(folders: Iterable[Path], values: Iterable[str]) -> list[Path]:
    """Return the files of this machine, below the folders, that hold one of the values."""
    wanted = [value.encode() for value in values]
    found = []
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                content = path.read_bytes()
                found += [path] * any(value in content for value in wanted)
    return found
