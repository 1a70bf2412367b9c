"""The double's Debian package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.doubles.zerotier import build
from tests.support.zerotier_lab import DOUBLE

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Build a package."""
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is missing: packages are built on Debian and its relatives")
    output = tmp_path / "zerotier-one.deb"
    assert build.build(output)
    return output


def query(package: Path, *arguments: str) -> str:
    """Ask dpkg-deb about a package."""
    command = ["dpkg-deb", *arguments[:1], str(package), *arguments[1:]]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_package_says_that_it_is_a_double(package: Path) -> None:
    """Its version and its description name the double; the name is the real one's."""
    fields = query(package, "--field", "Package", "Version", "Description")
    assert "Package: zerotier-one\nVersion: 1.14.1+double\n" in fields
    assert "double of the ZeroTier" in fields


def test_package_holds_command_service_and_warning(package: Path) -> None:
    """Each file stands where the real package has it, owned by root."""
    listing = [line.split(None, 5) for line in query(package, "--contents").splitlines()]
    modes = {line[5]: line[0] for line in listing}
    assert {line[1] for line in listing} == {"root/root"}
    commands = {modes[f"./usr/sbin/zerotier-{name}"] for name in ("cli", "idtool", "one")}
    assert commands == {"-rwxr-xr-x"}
    assert modes["./lib/systemd/system/zerotier-one.service"] == "-rw-r--r--"
    assert "./usr/share/doc/zerotier-one/README" in modes
    assert "./usr/lib/zerotier-one-double/zerotier_double/daemon.py" in modes


def test_build_is_reproducible_and_leaves_an_equal_file_alone(package: Path) -> None:
    """Another build under another umask gives the same bytes and does not touch the file."""
    first, touched = package.read_bytes(), package.stat().st_mtime_ns
    old = os.umask(0o077)
    try:
        assert not build.build(package)
    finally:
        os.umask(old)
    assert (package.read_bytes(), package.stat().st_mtime_ns) == (first, touched)


def test_command_reports_what_it_did(package: Path) -> None:
    """The first word tells Ansible whether the file changed."""
    command = [sys.executable, str(DOUBLE / "build.py"), str(package)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.startswith(f"unchanged {package} sha256:")


@pytest.mark.parametrize(
    "arguments",
    [[], ["a.tar"], ["a.deb", "b.deb"], ["a.deb", "--version", "1.16"], ["a.deb", "--version"]],
)
def test_wrong_command_line_is_a_usage_error(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """One path that ends in .deb, and a version of three numbers."""
    with pytest.raises(SystemExit) as stopped:
        build.main(arguments)
    assert stopped.value.code == 2
    assert "usage: build.py" in capsys.readouterr().err


def test_service_takes_over_what_root_put_into_its_home() -> None:
    """A moon or a local.conf that a play wrote as root has to be readable to the service's user."""
    unit = (DOUBLE / "package/zerotier-one.service").read_text("utf-8")
    assert "User=zerotier-one\n" in unit
    taking = "ExecStartPre=+/bin/chown -R zerotier-one:zerotier-one /var/lib/zerotier-one\n"
    assert taking in unit
