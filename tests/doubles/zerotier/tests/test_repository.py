"""The apt repository, as apt itself takes it: from files, in folders of its own."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.doubles.zerotier import build, repository

if TYPE_CHECKING:
    from pathlib import Path

needs_tools = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in (*repository.TOOLS, "apt-get")),
    reason="apt-get, apt-ftparchive, dpkg-deb or gpg is missing: they are Debian's",
)
pytestmark = needs_tools


class Apt:
    """apt-get with every folder of its own, and one deb822 source."""

    def __init__(self, folder: Path, source: Path, key: Path, codename: str) -> None:
        """Trust a key for the repository of a Debian release."""
        self._folder = folder
        for name in ("lists/partial", "cache/archives/partial", "etc/sources.list.d"):
            (folder / name).mkdir(parents=True)
        (folder / "status").touch()
        lines = {
            "Types": "deb",
            "URIs": f"file:{source}/debian/{codename}",
            "Suites": codename,
            "Components": "main",
            "Signed-By": str(key),
        }
        text = "".join(f"{field}: {value}\n" for field, value in lines.items())
        (folder / "etc/sources.list.d/zerotier.sources").write_text(text, "utf-8")

    def run(self, tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a tool of apt's in these folders."""
        places = {
            "Dir::Etc": "etc",
            "Dir::State": ".",
            "Dir::State::lists": "lists",
            "Dir::State::status": "status",
            "Dir::Cache": "cache",
        }
        options = [f"-o{key}={self._folder / name}/" for key, name in places.items()]
        options[3] = options[3].rstrip("/")
        options += ["-oAPT::Sandbox::User=", "-oAPT::Update::Error-Mode=any"]
        options += ["-oAPT::Architecture=amd64", "-oDebug::NoLocking=true"]
        command = [tool, *options, *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=self._folder
        )


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Build two versions of the double."""
    folder = tmp_path_factory.mktemp("packages")
    for version in ("1.14.1", "1.16.0"):
        build.build(folder / f"{version}.deb", version=version)
    return sorted(folder.glob("*.deb"))


@pytest.fixture
def made(
    tmp_path: Path, packages: list[Path], capsys: pytest.CaptureFixture[str]
) -> tuple[Path, str]:
    """Make a repository of both; return its folder and its key's fingerprint."""
    output = tmp_path / "repository"
    assert repository.main([str(output), *map(str, packages)]) == 0
    return output, capsys.readouterr().out.strip()


@pytest.mark.parametrize("codename", ["bookworm", "trixie"])
def test_apt_takes_both_versions_with_the_right_key(
    tmp_path: Path, made: tuple[Path, str], packages: list[Path], codename: str
) -> None:
    """The newer one is the candidate; the older one can be had by its version, byte for byte."""
    output, _ = made
    apt = Apt(tmp_path / "apt", output, output / "key.asc", codename)
    updated = apt.run("apt-get", "update")
    assert updated.returncode == 0, updated.stderr
    policy = apt.run("apt-cache", "policy", "zerotier-one").stdout
    assert "Candidate: 1.16.0+double" in policy
    fetched = apt.run("apt-get", "download", "zerotier-one=1.14.1+double")
    assert fetched.returncode == 0, fetched.stderr
    (package,) = (tmp_path / "apt").glob("zerotier-one_1.14.1*.deb")
    assert package.read_bytes() == packages[0].read_bytes()


def test_apt_refuses_a_repository_of_another_key(tmp_path: Path, made: tuple[Path, str]) -> None:
    """A key that is armoured as well but signed nothing here."""
    output, _ = made
    stranger = repository.Keyring(tmp_path / "other")
    stranger.close()
    key = tmp_path / "other.asc"
    key.write_text(stranger.public_key(), "utf-8")
    apt = Apt(tmp_path / "apt", output, key, "bookworm")
    updated = apt.run("apt-get", "update")
    assert updated.returncode != 0
    assert "not signed" in updated.stderr or "NO_PUBKEY" in updated.stderr
    assert "Candidate" not in apt.run("apt-cache", "policy", "zerotier-one").stdout


def test_apt_refuses_a_package_list_that_was_changed(
    tmp_path: Path, made: tuple[Path, str]
) -> None:
    """The signature covers what the lists say."""
    output, _ = made
    folder = output / "debian/bookworm/dists/bookworm/main/binary-amd64"
    (folder / "Packages.gz").unlink()
    changed = (folder / "Packages").read_text("utf-8").replace("1.16.0", "1.17.0")
    (folder / "Packages").write_text(changed, "utf-8")
    apt = Apt(tmp_path / "apt", output, output / "key.asc", "bookworm")
    assert apt.run("apt-get", "update").returncode != 0


def test_fingerprint_is_that_of_the_key_file(made: tuple[Path, str]) -> None:
    """Forty digits, as gpg shows them for key.asc."""
    output, fingerprint = made
    command = ["gpg", "--show-keys", "--with-colons", str(output / "key.asc")]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"fpr:::::::::{fingerprint}:" in shown
    assert len(fingerprint) == 40
    assert (output / "key.asc").read_text("utf-8").startswith("-----BEGIN PGP PUBLIC KEY BLOCK")


def test_kept_key_signs_the_next_repository_too(
    tmp_path: Path, packages: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """With --gnupg-home the fingerprint stays, and only the packages of the last call are left."""
    output, keys = tmp_path / "repository", tmp_path / "keys"
    for chosen in (packages, packages[:1]):
        arguments = [str(output), *map(str, chosen), "--gnupg-home", str(keys)]
        assert repository.main(arguments) == 0
    first, second = capsys.readouterr().out.split()
    assert first == second
    pool = output / "debian/trixie/pool/main"
    assert [file.name for file in pool.iterdir()] == ["zerotier-one_1.14.1+double_all.deb"]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [("missing.deb", None, "no such file"), ("broken.deb", "junk", "dpkg-deb --show")],
)
def test_unusable_package_is_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    text: str | None,
    reason: str,
) -> None:
    """Nothing is made of a file that is no package."""
    package = tmp_path / name
    if text is not None:
        package.write_text(text, "utf-8")
    assert repository.main([str(tmp_path / "repository"), str(package)]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("repository.py: ")
    assert reason in printed
    assert len(printed.splitlines()) == 1
    assert not (tmp_path / "repository/debian").exists()


def test_missing_tool_is_named_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line says what to install."""
    monkeypatch.setattr(shutil, "which", lambda tool: None if "apt" in tool else tool)
    assert repository.main([str(tmp_path), "x.deb"]) == 1
    line = "repository.py: apt-ftparchive is missing, install it: apt install apt-utils\n"
    assert capsys.readouterr().err == line
