"""Make a signed apt repository of Debian packages, laid out as ZeroTier's own is.

`repository.py OUTPUT_DIR DEB... [--gnupg-home DIR]`

Below OUTPUT_DIR: `debian/<codename>` for each Debian release (a deb822 source takes it as `URIs`,
the codename as `Suites` and main as `Components`), and the armoured public key `key.asc`. The
key's fingerprint is printed. With `--gnupg-home` the key is made there once and used again;
without, each call makes a key that is thrown away after signing. Another call with other packages
replaces the whole repository.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CODENAMES = ("bookworm", "trixie")
ARCHITECTURES = ("amd64", "arm64")
TOOLS = {"apt-ftparchive": "apt-utils", "dpkg-deb": "dpkg", "gpg": "gnupg", "gpgconf": "gnupg"}
OWNER = "The laboratory's package repository"


class RepositoryError(Exception):
    """The repository cannot be made; the text is one line for the person who asked for it."""


class Keyring:
    """A GnuPG home with one signing key."""

    def __init__(self, home: Path) -> None:
        """Use a folder, made where it is missing; a key that is there already is taken."""
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._home = str(home)
        if not self._fingerprints():
            self._run("--quick-generate-key", OWNER, "ed25519", "sign", "never")
        self.fingerprint = self._fingerprints()[0]

    def sign(self, release: Path) -> None:
        """Write InRelease and Release.gpg beside a Release file."""
        signing = ("--local-user", self.fingerprint, "--yes")
        clear, apart = release.with_name("InRelease"), release.with_name("Release.gpg")
        self._run(*signing, "--output", str(clear), "--clear-sign", str(release))
        self._run(*signing, "--armor", "--output", str(apart), "--detach-sign", str(release))

    def public_key(self) -> str:
        """Return the public key, armoured."""
        return self._run("--armor", "--export", self.fingerprint)

    def close(self) -> None:
        """Stop the agent that gpg started for this home."""
        _run("gpgconf", "--homedir", self._home, "--kill", "all")

    def _fingerprints(self) -> list[str]:
        lines = self._run("--with-colons", "--list-secret-keys").splitlines()
        return [line.split(":")[9] for line in lines if line.startswith("fpr:")]

    def _run(self, *arguments: str) -> str:
        options = ("--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "")
        return _run("gpg", "--homedir", self._home, *options, *arguments)


def make(output: Path, packages: list[Path], keyring: Keyring) -> None:
    """Replace the repository below a folder; raises RepositoryError."""
    names = {package: _pool_name(package) for package in packages}
    shutil.rmtree(output / "debian", ignore_errors=True)
    for codename in CODENAMES:
        base = output / "debian" / codename
        pool = base / "pool/main"
        pool.mkdir(parents=True)
        for package, name in names.items():
            shutil.copyfile(package, pool / name)
        for architecture in ARCHITECTURES:
            _index(base, codename, architecture)
        _release(base, codename, keyring)
    (output / "key.asc").write_text(keyring.public_key(), "utf-8")


def _check_tools() -> None:
    for tool, package in TOOLS.items():
        if shutil.which(tool) is None:
            message = f"{tool} is missing, install it: apt install {package}"
            raise RepositoryError(message)


def _pool_name(package: Path) -> str:
    """Return a package's canonical file name, by which its architecture is known."""
    shown = "${Package}_${Version}_${Architecture}"
    if not package.is_file():
        message = f"{package}: no such file, expected a Debian package"
        raise RepositoryError(message)
    return _run("dpkg-deb", "--show", f"--showformat={shown}", str(package)) + ".deb"


def _index(base: Path, codename: str, architecture: str) -> None:
    folder = base / f"dists/{codename}/main/binary-{architecture}"
    folder.mkdir(parents=True)
    scan = ("apt-ftparchive", "--arch", architecture, "packages", "pool/main")
    text = _run(*scan, folder=base).encode()
    (folder / "Packages").write_bytes(text)
    (folder / "Packages.gz").write_bytes(gzip.compress(text, mtime=0))


def _release(base: Path, codename: str, keyring: Keyring) -> None:
    facts = {
        "Origin": OWNER,
        "Label": OWNER,
        "Suite": codename,
        "Codename": codename,
        "Architectures": " ".join(ARCHITECTURES),
        "Components": "main",
    }
    options = [f"-oAPT::FTPArchive::Release::{key}={value}" for key, value in facts.items()]
    folder = base / "dists" / codename
    text = _run("apt-ftparchive", *options, "release", str(folder))
    (folder / "Release").write_text(text, "utf-8")
    keyring.sign(folder / "Release")


def _run(*command: str, folder: Path | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        reason = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        message = f"{' '.join(command[:3])} failed: {reason[-1]}"
        raise RepositoryError(message)
    return done.stdout


def main(arguments: list[str] | None = None) -> int:
    """Make a repository; exit status 1 with one line where that fails, 2 for a wrong command."""
    parser = argparse.ArgumentParser(prog="repository.py", description="make an apt repository")
    parser.add_argument("output", type=Path, metavar="OUTPUT_DIR")
    parser.add_argument("packages", type=Path, nargs="+", metavar="DEB")
    parser.add_argument("--gnupg-home", type=Path, metavar="DIR", help="keep the key there")
    options = parser.parse_args(arguments)
    try:
        _check_tools()
        with tempfile.TemporaryDirectory(prefix="gpg-") as scratch:
            keyring = Keyring(options.gnupg_home or Path(scratch))
            try:
                make(options.output, options.packages, keyring)
            finally:
                keyring.close()
    except RepositoryError as problem:
        sys.stderr.write(f"repository.py: {problem}\n")
        return 1
    sys.stdout.write(f"{keyring.fingerprint}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
