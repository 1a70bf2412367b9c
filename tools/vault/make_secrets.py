"""Make a vaulted variables file hold the secrets that it should, and no others of accounts.

Prints the names that it added or removed, one a line. Values go to ansible-vault by a pipe alone:
never by an argument, a fact or a file in plain text. Those that are there already stay as they are.

A host whose agent signs its rows has a key of its own, for as long as it does.

An account of Kafka has two users in turn, a and b, and a password for each: changing passwords
begins with those of the other one, which then stands for the account, and ends with the removal of
the old. Broken off in between, it goes on from there. An account that is gone loses its passwords,
and one of which a host is gone gets others, as that host still knows them; so the file remembers to
which hosts passwords were given.

The file is the old one or the new one, also after a power cut, and of two commands at once the
second one waits for the first.
"""

import argparse
import fcntl
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PREFIX = "kafka_access_password_"
GIVEN = "kafka_access_given_"
SIGNING_KEY = "agent_signing_key_"
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


@contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Make the folder, and keep others who change secrets in it waiting; yield its descriptor."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def write(file: Path, known: dict[str, str], folder: int) -> None:
    """Put the secrets in the old file's place, in one step that lasts."""
    sealed = vault("encrypt", "--output", "-", text=json.dumps(known, indent=2) + "\n")
    new = file.with_name(f".{file.name}.new")  # hidden: Ansible does not read it as variables
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(sealed)
        stream.flush()
        os.fsync(descriptor)
    new.replace(file)
    os.fsync(folder)


def old_passwords(known: dict[str, str]) -> list[str]:
    """Return the names of the passwords that are being replaced."""
    old = OTHER[known.get(SUFFIX, "a")]
    return [name for name in known if name.startswith(PREFIX) and name.endswith(f"_{old}")]


def without_those_gone(
    known: Mapping[str, str],
    accounts: list[str],
    hosts: Mapping[str, list[str]] | None,
    signers: list[str],
) -> dict[str, str]:
    """Return the secrets without those that someone knows who should not.

    Args:
        known: the secrets as they are.
        accounts: of Kafka.
        hosts: account -> those that have its credentials; None leaves all as it is.
        signers: hosts whose agent signs its rows.

    """
    new = dict(known)
    if hosts is None:
        return new
    for name, value in known.items():
        if name.startswith(PREFIX) and name.removeprefix(PREFIX)[:-2] not in accounts:
            new.pop(name, None)
        if name.startswith(SIGNING_KEY) and name.removeprefix(SIGNING_KEY) not in signers:
            new.pop(name, None)
        account = name.removeprefix(GIVEN)
        if name.startswith(GIVEN) and set(value.split()) - set(hosts.get(account, [])):
            for old in (name, *(f"{PREFIX}{account}_{suffix}" for suffix in OTHER)):
                new.pop(old, None)
    return new | {f"{GIVEN}{account}": " ".join(sorted(hosts[account])) for account in hosts}


def changed(
    known: dict[str, str],
    names: list[str],
    accounts: list[str],
    signers: list[str],
    change: str | None,
) -> dict[str, str]:
    """Return the secrets as they are to be.

    Args:
        known: the secrets as they are.
        names: of secrets that are to be there.
        accounts: of Kafka, each with a password.
        signers: hosts whose agent signs its rows, each with a key.
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
    for host in signers:
        new.setdefault(f"{SIGNING_KEY}{host}", secrets.token_hex(32))
    return new


def main() -> None:
    """Change the file if it has to be changed, and say what."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("names", nargs="*", help="secrets to make")
    parser.add_argument("--accounts", nargs="*", default=[], help="accounts of Kafka")
    parser.add_argument("--hosts", type=json.loads, help="JSON: account to its list of hosts")
    parser.add_argument("--signers", nargs="*", default=[], help="hosts that sign their rows")
    parser.add_argument("--change", choices=["begin", "end"], help="change the passwords")
    given = parser.parse_args()
    check_place(given.file)
    with locked(given.file.parent) as folder:
        known = read(given.file)
        new = changed(
            without_those_gone(known, given.accounts, given.hosts, given.signers),
            given.names,
            given.accounts,
            given.signers,
            given.change,
        )
        if new == known:
            return
        write(given.file, new, folder)
    different = [*(n for n in new if new[n] != known.get(n)), *(n for n in known if n not in new)]
    sys.stdout.write("\n".join(different) + "\n")


if __name__ == "__main__":
    main()
