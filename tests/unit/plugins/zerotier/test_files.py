"""Writing where another user could have laid a trap: zerotier_files, and the ledger by it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from ansible_collections.server_monitoring.cluster.plugins.module_utils.zerotier import (
    files,
    ledger,
)
from ansible_collections.server_monitoring.cluster.plugins.module_utils.zerotier.api import (
    ZerotierError,
)

from tests.support.zerotier_lab import NETWORK

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a folder to write into."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """Return a file elsewhere that nobody may change."""
    file = tmp_path / "victim"
    file.write_bytes(b"mine")
    file.chmod(0o640)
    return file


def unharmed(victim: Path) -> bool:
    """Tell whether the file elsewhere is what it was."""
    return victim.read_bytes() == b"mine" and victim.stat().st_mode & 0o777 == 0o640


def test_file_is_made_and_replaced_whole(home: Path) -> None:
    """A reader that has the old file open reads on in it, and nothing else is left behind."""
    file = home / "x"
    files.replace(file, b"old content")
    with file.open("rb") as reader:
        files.replace(file, b"new")
        assert reader.read() == b"old content"
    assert file.read_bytes() == b"new"
    assert list(home.iterdir()) == [file]


@pytest.mark.parametrize("name", ["x", "x.tmp"])
@pytest.mark.parametrize("hard", [False, True])
def test_no_link_is_followed(home: Path, victim: Path, name: str, *, hard: bool) -> None:
    """Neither one at the file nor one where its new content is written first."""
    trap = home / name
    if hard:
        trap.hardlink_to(victim)
    else:
        trap.symlink_to(victim)
    files.replace(home / "x", b"new", 0o644)
    assert unharmed(victim)
    assert not (home / "x").is_symlink()
    assert (home / "x").read_bytes() == b"new"
    assert [file.name for file in home.iterdir()] == ["x"]


def test_link_to_nowhere_makes_no_file_there(home: Path, tmp_path: Path) -> None:
    """A trap may also be laid for a file that is yet to come."""
    (home / "x.tmp").symlink_to(tmp_path / "new")
    files.replace(home / "x", b"new")
    assert not (tmp_path / "new").exists()


def test_link_that_comes_back_at_once_is_not_followed(
    home: Path, victim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between removing a trap and writing, another one may be laid: writing fails then."""
    trap = home / "x.tmp"
    trap.symlink_to(victim)
    monkeypatch.setattr("pathlib.Path.unlink", lambda *_arguments, **_options: None)
    with pytest.raises(FileExistsError):
        files.replace(home / "x", b"new")
    assert unharmed(victim)


def test_folder_that_is_a_link_is_refused(home: Path, tmp_path: Path) -> None:
    """The line names it and what to do, and nothing is written where it leads."""
    folder = tmp_path / "folder"
    folder.symlink_to(home)
    with pytest.raises(ZerotierError) as caught:
        files.replace(folder / "x", b"new")
    assert str(caught.value) == (
        f"{folder} is a symbolic link, expected a folder; see who made it, remove it"
    )
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("mode", [0o600, 0o644])
@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_mode_is_what_is_asked_for(home: Path, mode: int, umask: int) -> None:
    """Whatever the umask is, and whatever mode the old file had."""
    file = home / "x"
    file.touch()
    file.chmod(0o666)
    before = os.umask(umask)
    try:
        files.replace(file, b"new", mode)
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == mode


def test_file_is_its_owner_s_alone_unless_asked(home: Path) -> None:
    """Without a mode nobody else reads it, and its owner is the one who writes."""
    files.replace(home / "x", b"new")
    status = (home / "x").stat()
    assert (status.st_mode & 0o777, status.st_uid) == (0o600, os.geteuid())


def test_owner_is_handed_on(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The open file is given away, before anyone can find it by its name."""
    given: list[tuple[int, int, bool]] = []

    def give(number: int, user: int, group: int) -> None:
        there = (home / "x.tmp").stat().st_ino == os.fstat(number).st_ino
        given.append((user, group, there))

    monkeypatch.setattr(os, "fchown", give)
    status = home.stat()
    files.replace(home / "x", b"new", owner=status)
    files.replace(home / "y", b"new")
    assert given == [(status.st_uid, status.st_gid, True)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_file_is_its_owner_s(home: Path) -> None:
    """The owner of the given status gets it, the group too."""
    os.chown(home, 4711, 4712)
    files.replace(home / "x", b"new", owner=home.stat())
    status = (home / "x").stat()
    assert (status.st_uid, status.st_gid) == (4711, 4712)


def test_ledger_is_not_written_through_a_link(home: Path, victim: Path) -> None:
    """Who owns the home directory cannot lead root's writing elsewhere."""
    (home / f"{ledger.NAME}.tmp").symlink_to(victim)
    ledger.write(str(home), network_id=NETWORK)
    assert unharmed(victim)
    assert not (home / ledger.NAME).is_symlink()
    assert ledger.read(str(home))["network_id"] == NETWORK
