"""The module zerotier_backup: what makes a controller, packed and laid down again."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
from zerotier_double.node import Node
from zerotier_double.store import Home

from tests.support.zerotier_lab import ADDRESSES, NAMES, NETWORK, Cluster, Json, Port, identities
from tests.support.zerotier_runner import MODULES, Runner, content

if TYPE_CHECKING:
    from pathlib import Path

SECRET_A = "identity.secret"  # noqa: S105 - the name of a file
GOOD = {"identity.public": b"21c1e20656:0:ab", "identity.secret": b"21c1e20656:0:ab:cd"}


@pytest.fixture
def old(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> Runner:
    """Run on A, which keeps a network with two members and has a moon."""
    cluster.network()
    cluster.authorize("A", "172.29.0.1", name="kafka-1")
    cluster.authorize("B", "172.29.0.2", name="producer-1")
    cluster.orbit("A")
    home = Home(cluster.home("A"))
    home.write("server-monitoring.moon.json", cluster.moon())
    home.write("server-monitoring.moon", cluster.moon())
    home.write_text("identity.public", identities()["A"], 0o644)
    home.auth_token()
    return Runner(home.path, capsys)


@pytest.fixture
def new(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Runner:
    """Run on a machine that has no identity yet."""
    home = tmp_path / "new"
    home.mkdir()
    return Runner(home, capsys)


def archive(**files: bytes) -> str:
    """Return an archive of files by name."""
    return str(MODULES["backup"].archived(files))


def backup(runner: Runner, given: str = "", *, check: bool = False, **changed: Any) -> Json:
    """Run zerotier_backup, to pack without an archive."""
    return runner.run("backup", check=check, archive=given, **changed)


def packed(runner: Runner) -> str:
    """Return the archive of a machine, past the hiding of secrets in results."""
    module = MODULES["backup"]
    return str(module.archived(module.pack(runner.home)))


def with_identity(runner: Runner, name: str) -> Runner:
    """Give a machine the identity of a node."""
    public = identities()[name]
    (runner.home / "identity.public").write_text(public, "utf-8")
    (runner.home / SECRET_A).write_text(f"{public}:{'ee' * 64}", "utf-8")
    return runner


def test_pack_tells_what_is_inside(old: Runner) -> None:
    """Address and networks are told; nothing changes, in check mode either."""
    before = content(old.home)
    for check in (False, True):
        done = backup(old, check=check)
        assert (done["changed"], done["address"]) == (False, NAMES["A"])
        assert done["networks"] == [NETWORK]
        assert MODULES["backup"].unpacked(done["archive"]) == MODULES["backup"].pack(old.home)
    assert content(old.home) == before


def test_pack_takes_what_makes_the_controller_and_nothing_else(old: Runner) -> None:
    """Identity, networks, members and moon are in it; token, ledger and memberships are not."""
    Home(old.home).write(f"networks.d/{NETWORK}.conf", {})
    Home(old.home).write("server-monitoring.json", {})
    assert set(MODULES["backup"].unpacked(packed(old))) == {
        "identity.public",
        "identity.secret",
        "server-monitoring.moon",
        "server-monitoring.moon.json",
        f"controller.d/network/{NETWORK}.json",
        f"controller.d/network/{NETWORK}/member/{NAMES['A']}.json",
        f"controller.d/network/{NETWORK}/member/{NAMES['B']}.json",
        "moons.d/00000021c1e20656.moon",
    }


def test_new_machine_becomes_the_controller(old: Runner, new: Runner, cluster: Cluster) -> None:
    """A node that starts in the laid down home has address, networks, members and moon."""
    done = backup(new, packed(old))
    assert (done["changed"], done["archive"]) == (True, "")
    assert (done["address"], done["networks"]) == (NAMES["A"], [NETWORK])
    node = Node(Home(new.home), Port(cluster.wire, ADDRESSES["A"]), cluster.wire.clock)
    assert node.identity.address == NAMES["A"]
    assert node.controller.network(NETWORK) == cluster["A"].controller.network(NETWORK)
    assert node.controller.members(NETWORK) == cluster["A"].controller.members(NETWORK)
    assert [moon["id"] for moon in node.moons.listed()] == ["00000021c1e20656"]


def test_what_is_laid_down_is_its_owner_s_alone(old: Runner, new: Runner) -> None:
    """Files are 0600 but for the public identity, folders 0700, and none is left over."""
    backup(new, packed(old))
    found = content(new.home)
    modes = {name: mode & 0o777 for name, (mode, _) in found.items()}
    assert modes.pop("identity.public") == 0o644
    assert set(modes.values()) == {0o600}
    folders = [path for path in new.home.rglob("*") if path.is_dir()]
    assert {folder.stat().st_mode & 0o777 for folder in folders} == {0o700}
    assert {name: data for name, (_, data) in found.items()} == MODULES["backup"].pack(old.home)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_what_is_laid_down_is_the_service_s(old: Runner, new: Runner) -> None:
    """The owner of the home directory gets all of it."""
    os.chown(new.home, 4711, 4712)
    backup(new, packed(old))
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in new.home.rglob("*")}
    assert owners == {(4711, 4712)}


def test_old_identity_is_kept_aside(old: Runner, new: Runner) -> None:
    """The identity of a machine that had one is not lost, and an equal one is not kept twice."""
    before = {name: data for name, (_, data) in content(with_identity(new, "B").home).items()}
    for _ in range(2):
        backup(new, packed(old))
    found = {name: data for name, (_, data) in content(new.home).items()}
    aside = {name: found[f"{name}.before-restore"] for name in before}
    assert aside == before
    assert found["identity.public"] == (old.home / "identity.public").read_bytes()


def test_networks_of_another_controller_are_not_replaced_unasked(old: Runner, new: Runner) -> None:
    """The line names that controller, its networks, and both ways out."""
    with_identity(new, "B")
    Home(new.home).write("controller.d/network/a87adac07d000001.json", {})
    before = content(new.home)
    assert backup(new, packed(old))["msg"] == (
        f"{new.home} is the home of another controller, a87adac07d, which keeps a87adac07d000001; "
        "to lose these pass -e restore_confirm=yes, or restore on another host"
    )
    assert content(new.home) == before
    assert backup(new, packed(old), replace_networks=True)["changed"]
    assert (new.home / f"controller.d/network/{NETWORK}.json").exists()


def test_same_controller_s_networks_are_laid_down_unasked(old: Runner) -> None:
    """A controller may always go back to its own backup."""
    kept = packed(old)
    file = old.home / f"controller.d/network/{NETWORK}.json"
    before = file.read_bytes()
    file.write_text("{}", "utf-8")
    assert backup(old, kept)["changed"]
    assert file.read_bytes() == before


def test_restore_in_check_mode_is_only_announced(old: Runner, new: Runner) -> None:
    """It tells what it would lay down, refuses what it would refuse, and writes nothing."""
    announced = backup(new, packed(old), check=True)
    assert (announced["changed"], announced["networks"]) == (True, [NETWORK])
    assert content(new.home) == {}
    assert "is damaged" in backup(new, "AAAA", check=True)["msg"]


def test_machine_without_an_identity_cannot_be_packed(new: Runner) -> None:
    """The line names the file that is missing."""
    assert backup(new)["msg"] == (
        f"{new.home}/identity.public is missing: this machine has no identity to back up"
    )


def damages() -> dict[str, str]:
    """Return broken archives by what is wrong with them."""
    whole = base64.b64decode(archive(**GOOD, **{"controller.d/big": os.urandom(4000)}))
    middle = len(whole) // 2
    broken = {
        "cut": whole[:-200],
        "short": whole[:100],
        "flipped": whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :],
        # The first byte behind the header names the kind of block: there is no fourth.
        "no deflate": whole[:10] + b"\x07" + whole[11:],
        "no gzip": b"x" * 600,
        "no tar": gzip.compress(b"x" * 600),
        "empty": gzip.compress(b""),
    }
    encoded = {name: base64.b64encode(data).decode() for name, data in broken.items()}
    return encoded | {"no base 64": "%%%%", "accents": "é" * 8, "half": archive(**GOOD)[:-3]}


@pytest.mark.parametrize("damage", sorted(damages()))
def test_damaged_archive_is_one_line(new: Runner, damage: str) -> None:
    """Nothing is laid down of it, and no traceback shows."""
    failed = backup(new, damages()[damage])
    assert failed["msg"].startswith("the backup is damaged (")
    assert failed["msg"].endswith("); take another one")
    assert "\n" not in failed["msg"]
    assert content(new.home) == {}


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "controller.d/../../x",
        "moons.d/../x",
        "/etc/cron.d/x",
        "./../x",
        "authtoken.secret",
        "local.conf",
        "networks.d/x",
        ".",
        "",
        "controller.d",
    ],
)
def test_file_outside_is_refused(new: Runner, name: str) -> None:
    """No archive writes anywhere but where the role's own do."""
    failed = backup(new, archive(**GOOD, **{name: b"x"}))
    assert failed["msg"] == (
        f"the backup holds {name!r}, so it is none of overlay_backup.yml; take another one"
    )
    assert content(new.home.parent) == {}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
def test_link_in_an_archive_is_not_laid_down(new: Runner, tmp_path: Path, kind: bytes) -> None:
    """A link that would lead a later file outside is passed over: the file stays inside."""
    outside = tmp_path / "outside"
    outside.mkdir()
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as made:
        link = tarfile.TarInfo("controller.d")
        link.type, link.linkname = kind, str(outside)
        made.addfile(link)
        for name, data in (GOOD | {"controller.d/x": b"x"}).items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            made.addfile(entry, io.BytesIO(data))
    assert backup(new, base64.b64encode(stream.getvalue()).decode())["changed"]
    assert list(outside.iterdir()) == []
    assert not (new.home / "controller.d").is_symlink()
    assert (new.home / "controller.d/x").read_bytes() == b"x"


@pytest.mark.parametrize("name", ["identity.secret", "controller.d/x"])
def test_backup_is_not_laid_down_through_a_link(new: Runner, tmp_path: Path, name: str) -> None:
    """Who owns the home directory cannot lead root's writing elsewhere."""
    victim, file = tmp_path / "victim", new.home / name
    victim.write_text("mine", "utf-8")
    file.parent.mkdir(exist_ok=True)
    (file.parent / f"{file.name}.tmp").symlink_to(victim)
    assert backup(new, archive(**(GOOD | {name: GOOD["identity.secret"]})))["changed"]
    assert victim.read_text("utf-8") == "mine"
    assert not file.is_symlink()


@pytest.mark.parametrize("folder", ["controller.d", "controller.d/network", "moons.d"])
def test_folder_that_is_a_link_is_refused(new: Runner, tmp_path: Path, folder: str) -> None:
    """At whatever depth: nothing is written or removed where it leads."""
    elsewhere, trap = tmp_path / "elsewhere", new.home / folder
    (elsewhere / "network").mkdir(parents=True)
    (elsewhere / "kept").write_text("mine", "utf-8")
    trap.parent.mkdir(exist_ok=True)
    trap.symlink_to(elsewhere)
    below = {"controller.d/network/x.json": b"{}", "moons.d/x.moon": b"x"}
    failed = backup(new, archive(**GOOD, **below))
    assert failed["msg"].startswith(f"{trap} is a symbolic link, expected a folder; ")
    assert content(elsewhere).keys() == {"kept"}


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_archive_without_an_identity_is_refused(new: Runner, missing: str) -> None:
    """Half an identity makes no controller."""
    files = {name: data for name, data in GOOD.items() if name != missing}
    assert backup(new, archive(**files))["msg"] == (
        f"the backup lacks {missing}, so it is none of overlay_backup.yml; take another one"
    )


def test_archive_is_hidden_in_what_is_said_of_the_task(old: Runner, new: Runner) -> None:
    """The node's secret is in it: neither arguments nor result show it after laying it down."""
    kept = packed(old)
    assert kept not in json.dumps(backup(new, kept))
