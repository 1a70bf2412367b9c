"""Secrets are made once, kept encrypted, and never shown."""

import json
import os
import runpy
import shutil
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import PROJECT

VAULT = PROJECT / "tools" / "vault"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a folder with the scripts where a clone has them, and ansible.cfg's setting."""
    shutil.copytree(VAULT, tmp_path / "tools" / "vault")
    (tmp_path / "ansible.cfg").write_text(
        "[defaults]\nvault_password_file = tools/vault/password\n"
    )
    return tmp_path


def run(clone: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the clone, with this interpreter's ansible-vault."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    variables = {k: v for k, v in os.environ.items() if not k.startswith("ANSIBLE_")}
    return subprocess.run(
        command,
        cwd=clone,
        env=variables | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def make(clone: Path, *names: str) -> subprocess.CompletedProcess[str]:
    """Make the secrets of an inventory."""
    script = str(clone / "tools" / "vault" / "make_secrets.py")
    return run(clone, sys.executable, script, "inventory/secrets.yml", *names)


def test_password_is_made_once_for_its_owner_alone(clone: Path) -> None:
    """The first command makes it, mode 0600, and says so; the second prints the same."""
    first = run(clone, "tools/vault/password")
    second = run(clone, "tools/vault/password")
    file = clone / ".vault-password"
    assert len(first.stdout.strip()) >= 43
    assert second.stdout == first.stdout
    assert "keep a copy" in first.stderr
    assert second.stderr == ""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [p.name for p in clone.glob(".vault-password*")] == [file.name]


@pytest.mark.parametrize(
    ("text", "mode", "found"),
    [("x\n", 0o644, "found mode 0644, expected 0600"), ("\n", 0o600, "found no password")],
)
def test_password_file_that_is_wrong_is_refused(
    clone: Path, text: str, mode: int, found: str
) -> None:
    """One line says what is wrong with it, and nothing is printed as a password."""
    file = clone / ".vault-password"
    file.write_text(text)
    file.chmod(mode)
    done = run(clone, "tools/vault/password")
    assert done.returncode != 0
    assert done.stdout == ""
    assert found in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_secrets_are_encrypted_and_stay_when_others_are_added(clone: Path) -> None:
    """Names alone are printed; a second call changes nothing; a new name leaves the old value."""
    file = clone / "inventory" / "secrets.yml"
    assert make(clone, "one").stdout == "one\n"
    before = file.read_bytes()
    assert before.startswith(b"$ANSIBLE_VAULT;1.1;AES256")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    old = json.loads(run(clone, "ansible-vault", "view", str(file)).stdout)

    again = make(clone, "one")
    assert (again.returncode, again.stdout, file.read_bytes()) == (0, "", before)

    more = make(clone, "one", "two")
    new = json.loads(run(clone, "ansible-vault", "view", str(file)).stdout)
    assert more.stdout == "two\n"
    assert new["one"] == old["one"]
    assert new["two"] != new["one"]
    assert new["one"] not in more.stdout + more.stderr
    assert [p.name for p in file.parent.iterdir()] == [file.name]


def test_secrets_under_another_password_are_refused_and_kept(clone: Path) -> None:
    """A lost vault password ends in one line, and never in new secrets over the old ones."""
    file = clone / "inventory" / "secrets.yml"
    make(clone, "one")
    before = file.read_bytes()
    (clone / ".vault-password").unlink()
    done = make(clone, "one", "two")
    assert done.returncode != 0
    assert "ansible-vault view" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert file.read_bytes() == before


def known(clone: Path) -> dict[str, str]:
    """Return the secrets of the inventory."""
    found: dict[str, str] = json.loads(
        run(clone, "ansible-vault", "view", "inventory/secrets.yml").stdout
    )
    return found


def test_passwords_are_changed_by_a_second_user_of_each_account(clone: Path) -> None:
    """Both are there until the end, what was broken off goes on, and the next one turns back."""
    accounts = ("--accounts", "producer", "admin")
    old = {f"kafka_access_password_{name}_a" for name in accounts[1:]}
    new = {f"kafka_access_password_{name}_b" for name in accounts[1:]}
    assert set(make(clone, *accounts).stdout.split()) == old
    first = known(clone)

    begun = make(clone, *accounts, "--change", "begin")
    assert set(begun.stdout.split()) == new | {"kafka_access_suffix"}
    both = known(clone)
    assert both["kafka_access_suffix"] == "b"
    assert first.items() < both.items()
    assert len(set(both.values())) == len(both)
    assert make(clone, *accounts, "--change", "begin").stdout == ""
    assert make(clone, *accounts).stdout == ""

    assert set(make(clone, *accounts, "--change", "end").stdout.split()) == old
    assert known(clone) == {name: both[name] for name in (*new, "kafka_access_suffix")}
    assert make(clone, *accounts, "--change", "end").stdout == ""

    assert set(make(clone, *accounts, "--change", "begin").stdout.split()) == old | {
        "kafka_access_suffix"
    }
    assert known(clone)["kafka_access_suffix"] == "a"


def test_a_new_account_gets_its_password_beside_the_others(clone: Path) -> None:
    """Of the user that stands for the accounts at the time."""
    make(clone, "--accounts", "producer")
    make(clone, "--accounts", "producer", "--change", "begin")
    make(clone, "--accounts", "producer", "--change", "end")
    added = make(clone, "--accounts", "producer", "dashboard")
    assert added.stdout == "kafka_access_password_dashboard_b\n"


def test_a_host_that_is_gone_no_longer_knows_a_password() -> None:
    """Its accounts get others, also in the middle of a change; an account that is gone has none."""
    tool = runpy.run_path(str(VAULT / "make_secrets.py"))

    def made(known: dict[str, str], hosts: dict[str, list[str]], change: str = "") -> Any:
        kept = tool["without_those_gone"](known, list(hosts), hosts, [])
        return tool["changed"](kept, ["other"], list(hosts), [], change)

    hosts = {"producer": ["p-2", "p-1"], "reader": ["r-1"]}
    first = made({}, hosts)
    assert first["kafka_access_given_producer"] == "p-1 p-2"
    assert made(first, hosts) == first
    more = made(first, hosts | {"producer": ["p-1", "p-2", "p-3"]})
    differ = {name for name in more if more[name] != first.get(name)}
    assert differ == {"kafka_access_given_producer"}
    changing = made(more, hosts, "begin")
    fewer = made(changing, hosts | {"producer": ["p-1"]})
    assert "kafka_access_password_producer_a" not in fewer
    present = {account: f"kafka_access_password_{account}_b" for account in hosts}
    assert fewer[present["producer"]] != changing[present["producer"]]
    assert fewer[present["reader"]] == changing[present["reader"]]
    last = made(fewer, {"producer": ["p-1"]})
    assert {name for name in fewer if name not in last} == {
        "kafka_access_given_reader",
        "kafka_access_password_reader_a",
        "kafka_access_password_reader_b",
    }


def test_a_host_that_signs_has_a_key_for_as_long_as_it_does(clone: Path) -> None:
    """Other hosts come and go beside it; names are those that Ansible takes hosts by."""
    hosts = [
        "--accounts",
        "agent_web-1.a",
        "--hosts",
        '{"agent_web-1.a": ["web-1.a"]}',
        "--signers",
    ]
    made = make(clone, *hosts, "web-1.a")
    assert "agent_signing_key_web-1.a" in made.stdout.split()
    key = known(clone)["agent_signing_key_web-1.a"]
    assert (len(key), len(bytes.fromhex(key))) == (64, 32)
    assert make(clone, *hosts, "web-1.a", "db-1").stdout == "agent_signing_key_db-1\n"
    assert known(clone)["agent_signing_key_web-1.a"] == key
    assert make(clone, *hosts, "db-1").stdout == "agent_signing_key_web-1.a\n"
    assert "agent_signing_key_web-1.a" not in known(clone)


def test_two_commands_at_once_lose_nothing(clone: Path) -> None:
    """The second waits, and adds to what the first has made."""
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda name: make(clone, name), ("one", "two")))
    assert [one.stdout for one in done] == ["one\n", "two\n"]
    assert set(known(clone)) == {"one", "two"}
    assert [p.name for p in (clone / "inventory").iterdir()] == ["secrets.yml"]


def test_secrets_are_on_the_disk_before_the_old_ones_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is synced, then it takes the other's place, then the folder is synced."""
    tool = runpy.run_path(str(VAULT / "make_secrets.py"))
    said: list[str] = []
    sync, replace = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        said.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        sync(descriptor)

    def replaced(new: Path, old: Path) -> Path:
        said.append("replace")
        return replace(new, old)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    monkeypatch.setitem(tool["write"].__globals__, "vault", lambda *_, text: text)
    file = tmp_path / "secrets.yml"
    with tool["locked"](tmp_path) as folder:
        tool["write"](file, {"one": "x"}, folder)
    assert said == [str(tmp_path / ".secrets.yml.new"), "replace", str(tmp_path)]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
