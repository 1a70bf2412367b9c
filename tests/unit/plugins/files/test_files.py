"""Files of a role are made true in one run, each whole, and nothing else is touched."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.server_monitoring.cluster.plugins.modules import files

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, Any]
Run = Callable[..., Json]
NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the module over entries, and returns what it printed."""

    def run(*entries: Json, check: bool = False) -> Json:
        given = {"files": list(entries), "_ansible_check_mode": check, "_ansible_diff": True}
        with patch_module_args(given), pytest.raises(SystemExit):
            files.main()
        result: Json = json.loads(capsys.readouterr().out)
        return result

    return run


def file(path: Path, content: str = "new\n", **other: Any) -> Json:
    """Return the entry of a file."""
    return {"path": str(path), "content": content, "mode": "0640"} | other


def mode(path: Path) -> int:
    """Return a path's rights."""
    return stat.S_IMODE(path.lstat().st_mode)


def everything(tmp_path: Path) -> list[Json]:
    """Return an entry of each kind."""
    (tmp_path / "part-1").write_text("one")
    (tmp_path / "part-2").write_text("two\n")
    (tmp_path / "old").write_text("")
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "stranger.json").write_text("")
    (tmp_path / "keys" / "kept.txt").write_text("")
    return [
        {"path": str(tmp_path / "a" / "b"), "state": "directory", "mode": "0750"},
        file(tmp_path / "a" / "b" / "c"),
        {"path": str(tmp_path / "keys"), "state": "directory", "mode": "0700", "purge": "*.json"},
        file(tmp_path / "keys" / "own.json"),
        {
            "path": str(tmp_path / "both"),
            "parts": [str(tmp_path / "part-1"), str(tmp_path / "part-2")],
            "mode": "0600",
        },
        {"path": str(tmp_path / "link"), "state": "link", "target": "a/b"},
        {"path": str(tmp_path / "old"), "state": "absent"},
    ]


def test_each_kind_is_made_and_the_second_run_changes_nothing(run: Run, tmp_path: Path) -> None:
    """What was changed is named, in the order of the entries, what was purged at the end."""
    entries = everything(tmp_path)
    first = run(*entries)
    assert first["paths"] == [
        str(tmp_path / name)
        for name in ("a/b", "a/b/c", "keys", "keys/own.json", "both", "link", "old")
    ] + [str(tmp_path / "keys" / "stranger.json")]
    assert first["changed"]
    assert mode(tmp_path / "a" / "b") == 0o750
    assert mode(tmp_path / "a" / "b" / "c") == 0o640
    assert (tmp_path / "link" / "c").read_text() == "new\n"
    assert (tmp_path / "both").read_text() == "one\ntwo\n"
    assert not (tmp_path / "old").exists()
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["kept.txt", "own.json"]
    second = run(*entries)
    assert (second["changed"], second["paths"], second["diff"]) == (False, [], [])


def test_check_mode_tells_the_same_and_makes_nothing(run: Run, tmp_path: Path) -> None:
    """Folders, parts and users that come later in a real run need not be there."""
    entries = everything(tmp_path)
    entries[1] |= {"owner": "no-such-user"}
    entries[4]["parts"] = ["/no/such/part"]
    before = sorted(tmp_path.rglob("*"))
    assert run(*entries, check=True)["changed"]
    assert sorted(tmp_path.rglob("*")) == before
    entries[1]["owner"], entries[4]["parts"] = None, [str(tmp_path / "part-1")]
    assert run(*entries, check=True)["paths"] == run(*entries)["paths"]
    assert not run(*entries, check=True)["changed"]


def test_difference_is_shown_file_by_file_but_of_secrets(run: Run, tmp_path: Path) -> None:
    """Old and new content under the file's name; of a secret neither that nor its argument."""
    (tmp_path / "open").write_text("old\n")
    secret = file(tmp_path / "closed", "pass-word", secret=True)
    result = run(file(tmp_path / "open"), secret)
    [diff] = result["diff"]
    assert (diff["before"], diff["after"]) == ("old\n", "new\n")
    assert diff["before_header"] == diff["after_header"] == str(tmp_path / "open")
    assert result["paths"] == [str(tmp_path / "open"), str(tmp_path / "closed")]
    assert (tmp_path / "closed").read_text() == "pass-word"
    assert "pass-word" not in json.dumps(result)
    (tmp_path / "closed").chmod(0o644)
    [diff] = run(secret)["diff"]
    assert (diff["before"]["mode"], diff["after"]["mode"]) == ("0644", "0640")


@as_root
def test_owner_and_rights_alone_are_set_right(run: Run, tmp_path: Path) -> None:
    """The content stays the same file."""
    entry = file(tmp_path / "f", owner=str(NOBODY), group=str(NOBODY))
    run(entry)
    (tmp_path / "f").chmod(0o777)
    os.chown(tmp_path / "f", 0, 0)
    number = (tmp_path / "f").stat().st_ino
    assert run(entry)["paths"] == [entry["path"]]
    found = (tmp_path / "f").stat()
    assert (found.st_uid, found.st_gid, mode(tmp_path / "f")) == (NOBODY, NOBODY, 0o640)
    assert found.st_ino == number


def test_file_that_something_else_writes_gets_its_rights(run: Run, tmp_path: Path) -> None:
    """Whatever is in it; it must be there, but in check mode."""
    entry = {"path": str(tmp_path / "f"), "mode": "0600"}
    assert run(entry)["failed"]
    assert run(entry, check=True)["changed"]
    (tmp_path / "f").write_text("anything")
    assert run(entry)["changed"]
    assert not run(entry)["changed"]
    assert (mode(tmp_path / "f"), (tmp_path / "f").read_text()) == (0o600, "anything")
    (tmp_path / "f").rename(tmp_path / "g")
    (tmp_path / "f").symlink_to("g")
    assert run(entry)["failed"]


def test_link_in_the_place_of_a_file_is_replaced_and_never_followed(
    run: Run, tmp_path: Path
) -> None:
    """What it showed to stays as it was, also if it held the right content."""
    (tmp_path / "target").write_text("new\n")
    (tmp_path / "target").chmod(0o600)
    (tmp_path / "f").symlink_to(tmp_path / "target")
    assert run(file(tmp_path / "f"))["changed"]
    assert not (tmp_path / "f").is_symlink()
    assert (mode(tmp_path / "f"), mode(tmp_path / "target")) == (0o640, 0o600)


def test_link_of_root_is_taken_for_a_folder(run: Run, tmp_path: Path) -> None:
    """Data may lie on another disk."""
    (tmp_path / "disk").mkdir(mode=0o700)
    (tmp_path / "data").symlink_to(tmp_path / "disk")
    entry = {"path": str(tmp_path / "data"), "state": "directory", "mode": "0750"}
    assert run(entry)["changed"]
    assert mode(tmp_path / "disk") == 0o750
    assert (tmp_path / "data").is_symlink()


@as_root
def test_link_of_another_user_is_no_folder(run: Run, tmp_path: Path) -> None:
    """Root would give away what a service's user chooses."""
    (tmp_path / "disk").mkdir(mode=0o700)
    (tmp_path / "data").symlink_to(tmp_path / "disk")
    os.chown(tmp_path / "data", NOBODY, NOBODY, follow_symlinks=False)
    entry = {"path": str(tmp_path / "data"), "state": "directory", "mode": "0750"}
    result = run(entry)
    assert result["failed"]
    assert str(tmp_path / "data") in result["msg"]
    assert mode(tmp_path / "disk") == 0o700


@pytest.mark.parametrize(
    ("state", "other"),
    [("file", {"content": "x", "mode": "0644"}), ("link", {"target": "x"}), ("absent", {})],
)
def test_folder_in_another_s_place_is_refused(
    run: Run, tmp_path: Path, state: str, other: Json
) -> None:
    """It is not emptied for a file."""
    (tmp_path / "f").mkdir()
    result = run({"path": str(tmp_path / "f"), "state": state} | other)
    assert result["failed"]
    assert result["msg"].startswith(f"{tmp_path}/f: found none or something else, expected")
    assert (tmp_path / "f").is_dir()


def test_file_in_the_place_of_a_folder_is_refused(run: Run, tmp_path: Path) -> None:
    """It may be somebody's."""
    (tmp_path / "f").write_text("")
    assert run({"path": str(tmp_path / "f"), "state": "directory", "mode": "0755"})["failed"]


def test_file_that_is_refused_leaves_the_old_one(run: Run, tmp_path: Path) -> None:
    """The reason is told, and no temporary file stays."""
    (tmp_path / "f").write_text("good\n")
    entry = file(tmp_path / "f", "bad\n", validate="grep -q good %s")
    assert run(entry)["msg"].startswith(f"{tmp_path}/f: refused by grep -q good %s")
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    assert (tmp_path / "f").read_text() == "good\n"
    assert run(entry | {"content": "good and new\n"})["changed"]


def test_folder_that_is_missing_is_told(run: Run, tmp_path: Path) -> None:
    """One line with its path."""
    result = run(file(tmp_path / "none" / "f"))
    assert result["failed"]
    assert str(tmp_path / "none") in result["msg"]


def test_new_file_is_closed_before_it_has_its_rights(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the umask is, nobody reads a secret while it is written."""
    seen: list[int] = []

    def look(handle: int) -> None:
        seen.append(stat.S_IMODE(os.fstat(handle).st_mode))

    monkeypatch.setattr(os, "fsync", look)
    before = os.umask(0)
    try:
        run(file(tmp_path / "f", mode="0600"))
    finally:
        os.umask(before)
    assert seen == [0o600]
    assert mode(tmp_path / "f") == 0o600


@as_root
def test_root_goes_no_way_that_another_user_can_turn(run: Run, tmp_path: Path) -> None:
    """A folder that is another's may be a link by the time that something in it is given away."""
    tmp_path.joinpath("service").mkdir()
    os.chown(tmp_path / "service", NOBODY, NOBODY)
    entry = {"path": str(tmp_path / "service" / "runs"), "state": "directory", "mode": "0750"}
    told = run(entry)["msg"]
    assert f"found the folder {tmp_path}/service on the way, which others than root" in told
    assert not (tmp_path / "service" / "runs").exists()
    tmp_path.joinpath("way").symlink_to("service")
    assert "others than root" in run(entry | {"path": str(tmp_path / "way" / "runs")})["msg"]
    # Root's again, in the order of the entries.
    folder = {"path": str(tmp_path / "service"), "state": "directory", "mode": "0750", "owner": "0"}
    assert run(folder, entry)["changed"]


@as_root
@pytest.mark.parametrize("kind", ["link", "pipe", "file"])
def test_what_a_service_put_in_a_file_s_place_is_replaced(
    run: Run, tmp_path: Path, kind: str
) -> None:
    """In a folder open to it: the secret is not given away, the pipe not waited for."""
    secret, shared = tmp_path / "secret", tmp_path / "shared"
    secret.write_text("new\n")
    secret.chmod(0o600)
    shared.mkdir()
    path = shared / "end_offsets.json"
    if kind == "link":
        path.symlink_to(secret)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_text("new\n")
    os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    shared.chmod(0o1777)
    assert run(file(path, mode="0644"))["changed"]
    assert stat.S_ISREG(path.lstat().st_mode)
    assert (path.lstat().st_uid, mode(path), mode(secret)) == (0, 0o644, 0o600)
