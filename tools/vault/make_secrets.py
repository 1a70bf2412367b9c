"""Add the secrets that a vaulted variables file lacks.

Prints the names that it added or removed, one a line. Values go to ansible-vault by a pipe alone:
never by an argument, a fact or a file in plain text. Those that are there already stay as they are.

An account of Kafka has two users in turn, a and b, and a password for each: changing passwords
begins with those of the other one, which then stands for the account, and ends with the removal of
the old. Broken off in between, it goes on from there.
"""

import argparse
import json
import secrets
import subprocess
import sys
from pathlib import Path

PREFIX = "kafka_access_password_"
SUFFIX = "kafka_access_suffix"
OTHER = {"a": "b", "b": "a"}


def vault(*arguments: str, text: str = "") -> str:
    """Run ansible-vault and return what it prints; end with its last line if it fails."""
    done = subprocess.run(
        ["ansible-vault", *arguments], input=text, capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        sys.exit(f"ansible-vault {arguments[0]}: {reason}")
    return done.stdout


def read(file: Path) -> dict[str, str]:
    """Return the secrets of a file, none where there is none."""
    if not file.exists():
        return {}
    text = vault("view", str(file))
    try:
        # JSON is YAML too, and this file is written here alone.
        known: dict[str, str] = json.loads(text)
    except ValueError:
        sys.exit(f"{file}: found no JSON in the vault, expected it as make_secrets.py wrote it")
    return known


def check_place(file: Path) -> None:
    """End where Ansible would no longer read variables that are there, once the file is."""
    folder = file.parent
    for other in (folder.with_name(folder.name + end) for end in (".yml", ".yaml", ".json")):
        if other.exists():
            sys.exit(
                f"{other}: found it beside {folder}/, where secrets are kept and of which Ansible "
                f"reads that alone: move it to {folder}/main.yml"
            )


def write(file: Path, known: dict[str, str]) -> None:
    """Put the secrets in the old file's place, in one step."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.new")  # hidden: Ansible does not read it as variables
    vault("encrypt", "--output", str(new), text=json.dumps(known, indent=2) + "\n")
    new.chmod(0o600)
    new.replace(file)


def old_passwords(known: dict[str, str]) -> list[str]:
    """Return the names of the passwords that are being replaced."""
    old = OTHER[known.get(SUFFIX, "a")]
    return [name for name in known if name.startswith(PREFIX) and name.endswith(f"_{old}")]


def changed(
    known: dict[str, str], names: list[str], accounts: list[str], change: str | None
) -> dict[str, str]:
    """Return the secrets as they are to be.

    Args:
        known: the secrets as they are.
        names: of secrets that are to be there.
        accounts: of Kafka, each with a password.
        change: `begin` or `end` of a change of passwords, or None.

    """
    new = dict(known)
    if change == "begin" and not old_passwords(known):
        new[SUFFIX] = OTHER[known.get(SUFFIX, "a")]
    if change == "end":
        for name in old_passwords(known):
            del new[name]
    passwords = [f"{PREFIX}{account}_{new.get(SUFFIX, 'a')}" for account in accounts]
    for name in [*names, *passwords]:
        new.setdefault(name, secrets.token_urlsafe(32))
    return new


def main() -> None:
    """Change the file if it has to be changed, and say what."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("names", nargs="*", help="secrets to make")
    parser.add_argument("--accounts", nargs="*", default=[], help="accounts of Kafka")
    parser.add_argument("--change", choices=["begin", "end"], help="change the passwords")
    given = parser.parse_args()
    check_place(given.file)
    known = read(given.file)
    new = changed(known, given.names, given.accounts, given.change)
    if new == known:
        return
    write(given.file, new)
    different = [*(n for n in new if new[n] != known.get(n)), *(n for n in known if n not in new)]
    sys.stdout.write("\n".join(different) + "\n")


main()
