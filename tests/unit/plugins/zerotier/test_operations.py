"""Leaving, backing up and restoring: who is meant, and what is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.server_monitoring.cluster.plugins.filter import (
    zerotier_operations as operations,
)

from tests.support.zerotier_lab import NAMES, Json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HOSTS = ["kafka-1", "producer-1", "consumer-1"]
KAFKA = {"name": "kafka-1", "address": NAMES["A"]}
PRODUCER = {"name": "producer-1", "address": NAMES["B"]}
OLD = {"name": "old-1", "address": "0123456789"}
NAMELESS = {"name": "", "address": "fedcba9876"}
MEMBERS = [KAFKA, PRODUCER, OLD, NAMELESS]
TOLD = "kafka-1 (21c1e20656), producer-1 (a87adac07d), old-1 (0123456789), no name (fedcba9876)"
PASSWORD = "correct horse battery"  # noqa: S105 - made for this test


def leaving(
    leave: object, *, members: list[Json] | None = None, asked: Iterable[Json] = ()
) -> Json:
    """Return who is to leave the network that kafka-1 keeps."""
    known = MEMBERS if members is None else members
    extended = [member | {"authorized": True, "ip_assignments": []} for member in known]
    found: Json = operations.zerotier_leaving(leave, extended, HOSTS, NAMES["A"], asked)
    return found


@pytest.mark.parametrize(
    ("leave", "members", "hosts"),
    [
        ("producer-1", [PRODUCER], ["producer-1"]),
        ("old-1", [OLD], []),
        ("0123456789", [OLD], []),
        ("fedcba9876", [NAMELESS], []),
        ("consumer-1", [], ["consumer-1"]),
        (" old-1 ,, producer-1", [OLD, PRODUCER], ["producer-1"]),
        ("old-1,0123456789,old-1", [OLD], []),
        ("kafka-1,producer-1,old-1,fedcba9876", MEMBERS, ["kafka-1", "producer-1"]),
    ],
)
def test_who_leaves_is_found_by_host_name_or_address(
    leave: str, members: list[Json], hosts: list[str]
) -> None:
    """Each member once; a host of the inventory leaves also where it is no member (any more)."""
    assert leaving(leave) == {"members": members, "hosts": hosts, "problem": ""}


@pytest.mark.parametrize("leave", ["", None, " , "])
def test_nobody_named_is_a_problem(leave: object) -> None:
    """The line tells what to pass, and who is in the network."""
    assert leaving(leave)["problem"] == (
        f"pass -e leave=NAME with who is to leave; members of the network: {TOLD}"
    )
    assert leaving(leave, members=[])["problem"].endswith("members of the network: none")


def test_unknown_name_is_a_problem() -> None:
    """One that is mistyped takes nobody out by accident, and is named."""
    assert leaving("producer-1,consumer-9")["problem"] == (
        "leave names 'consumer-9', which is no host of the inventory and no member of the network; "
        f"its members: {TOLD}"
    )


@pytest.mark.parametrize("leave", ["kafka-1", NAMES["A"], "kafka-1,producer-1"])
def test_controller_leaves_last(leave: str) -> None:
    """While others are in the network its keeper stays; alone, it may go."""
    assert leaving(leave)["problem"] == (
        "21c1e20656 keeps the network itself, and others are still in it; let these leave first, "
        "or let another host keep the network (group zerotier_controller)"
    )
    assert leaving("kafka-1", members=[KAFKA])["problem"] == ""


def answers(name: str, node: str) -> Json:
    """Return what a host answered when it was asked for its own address."""
    return {"item": name, "address": NAMES[node], "changed": False}


def test_host_is_found_by_its_own_address_under_another_name() -> None:
    """A person may have renamed the member; it leaves once, and nobody else does."""
    renamed = PRODUCER | {"name": "someone-else"}
    members, asked = [KAFKA, renamed, OLD, NAMELESS], [answers("producer-1", "B")]
    for leave in ("producer-1", f"producer-1,{NAMES['B']},someone-else"):
        found = leaving(leave, members=members, asked=asked)
        assert found == {"members": [renamed], "hosts": ["producer-1"], "problem": ""}


def test_host_that_did_not_answer_is_found_by_its_name_alone() -> None:
    """What it failed with is no address."""
    asked = [
        {"item": "producer-1", "failed": True, "msg": "zerotier-cli is not installed"},
        {"item": "consumer-1", "unreachable": True, "msg": "no route to host"},
    ]
    found = leaving("producer-1,consumer-1", asked=asked)
    assert (found["members"], found["problem"]) == ([PRODUCER], "")
    assert found["hosts"] == ["producer-1", "consumer-1"]


def test_controller_under_another_name_leaves_last_too() -> None:
    """Its own address tells that it keeps the network."""
    renamed, asked = KAFKA | {"name": "someone-else"}, [answers("kafka-1", "A")]
    for leave in ("kafka-1", "someone-else"):
        refused = leaving(leave, members=[renamed, PRODUCER], asked=asked)["problem"]
        assert refused.startswith("21c1e20656 keeps the network itself, and others are still in")
    alone = leaving("kafka-1", members=[renamed], asked=asked)
    assert (alone["members"], alone["problem"]) == ([renamed], "")


def test_with_central_any_host_may_leave() -> None:
    """No host keeps the network then."""
    found = operations.zerotier_leaving("kafka-1", MEMBERS, HOSTS, "")
    assert (found["members"], found["problem"]) == ([KAFKA], "")


def test_each_who_left_has_a_line() -> None:
    """A host that could not leave by itself has what remains to be done on it."""
    left = {"members": [PRODUCER, NAMELESS], "hosts": ["producer-1", "consumer-1", "kafka-1"]}
    nodes: list[Json] = [
        {"item": "producer-1", "changed": True, "status": ""},
        {"item": "consumer-1", "unreachable": True, "msg": "no route to host"},
        {"item": "kafka-1", "msg": "zerotier-one of kafka-1 does not answer"},
    ]
    assert operations.zerotier_left_lines(left, nodes) == [
        "producer-1 (a87adac07d): out of the network",
        "fedcba9876 (fedcba9876): out of the network",
        "producer-1: left; take it out of the inventory, or provision.yml brings it back",
        "consumer-1: could not be reached; should it come back, run on it: zerotier-cli leave",
        (
            "kafka-1: could not leave by itself: zerotier-one of kafka-1 does not answer; "
            "should it come back, run on it: zerotier-cli leave"
        ),
    ]


def test_backup_needs_a_controller_and_a_password() -> None:
    """A short password is told by its length, never by its text."""
    judge = operations.zerotier_backup_problem
    assert judge("controller", PASSWORD) == judge("controller", "x" * 12) == ""
    assert judge("controller", "hunter2hunt") == (
        "the backup's password has 11 characters, expected at least 12; give it in the environment "
        "variable ZEROTIER_BACKUP_PASSWORD"
    )
    assert judge("central", PASSWORD).startswith("zerotier_backend is 'central': ")


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    """Return a file that is encrypted as the role's backups are."""
    file = tmp_path / "zerotier.vault"
    secret = VaultSecret(PASSWORD.encode())
    file.write_bytes(VaultLib([("default", secret)]).encrypt("QUJD", secret))
    return file


def test_backup_opens_with_its_password(vault: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path below the person's home directory is taken too."""
    assert operations.zerotier_opened(str(vault), PASSWORD) == {"archive": "QUJD", "problem": ""}
    monkeypatch.setenv("HOME", str(vault.parent))
    assert operations.zerotier_opened(f"~/{vault.name}", PASSWORD)["archive"] == "QUJD"


def unopened(backup: str, password: str = PASSWORD) -> str:
    """Return the line on a backup that does not open."""
    opened = operations.zerotier_opened(backup, password)
    assert opened["archive"] == ""
    assert "\n" not in opened["problem"]
    return str(opened["problem"])


def test_backup_that_is_not_named_is_told() -> None:
    """The line says what to pass."""
    assert unopened("") == "pass -e backup=FILE, a file that overlay_backup.yml wrote"


def test_backup_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Neither is a folder a file."""
    missing = tmp_path / "none"
    assert unopened(str(missing)) == (
        f"backup is {missing}, which cannot be read: No such file or directory"
    )
    assert unopened(str(tmp_path)).endswith("which cannot be read: Is a directory")


@pytest.mark.parametrize("content", [b"", b"QUJD", b"\xff\x00"])
def test_file_that_is_not_encrypted_is_told(tmp_path: Path, content: bytes) -> None:
    """Any other file is none of the role's."""
    file = tmp_path / "plain"
    file.write_bytes(content)
    assert unopened(str(file)) == (
        f"backup is {file}, not encrypted: overlay_backup.yml did not write it"
    )


def test_wrong_password_is_told_without_it(vault: Path) -> None:
    """The line says where the right one belongs."""
    line = unopened(str(vault), "another password")
    assert line.startswith(f"backup {vault} does not open with this password; give the one it was")
    assert "another password" not in line


def test_damaged_vault_does_not_open(vault: Path) -> None:
    """A file that lost its end is no backup, whatever the password is."""
    vault.write_bytes(vault.read_bytes()[:-40])
    assert "does not open with this password" in unopened(str(vault))
