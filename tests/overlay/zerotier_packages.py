"""Packages of ZeroTier to install on the lab's nodes, and a signed repository that offers them."""

import os
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.overlay.lab_overlay import NODES, REAL, WAYS, podman
from tests.support.playbooks import on
from tests.support.project import PROJECT

DOUBLE = PROJECT / "tests" / "doubles" / "zerotier"
SERVER, SERVER_IP, PORT = "producer-1", "10.213.0.12", 8088
VERSIONS = {"1.14.1": (), "1.14.2": (), "1.16.0": ("--without-controller",)}


@dataclass(frozen=True)
class Packages:
    """Packages of ZeroTier by version, and the repository that offers them."""

    debs: dict[str, Path]
    repository: Path
    other_key: Path

    @property
    def deb(self) -> dict[str, Any]:
        """Return the role's settings that install the oldest of them from its file."""
        return from_file(next(iter(self.debs.values())))

    @property
    def apt(self) -> dict[str, Any]:
        """Return the role's settings that install from the repository."""
        uri = f"http://{SERVER_IP}:{PORT}/debian/{{{{ ansible_facts.distribution_release }}}}"
        return {
            "zerotier_install_method": "apt",
            "zerotier_apt_uri": uri,
            "zerotier_apt_key": str(self.repository / "key.asc"),
        }

    @property
    def ways(self) -> dict[str, Any]:
        """Return the role's settings by which it gets onto each node in that node's way."""
        method = f"{{{{ {WAYS}[inventory_hostname] }}}}"
        return self.apt | self.deb | {"zerotier_install_method": method}


def from_file(file: Path) -> dict[str, Any]:
    """Return the role's settings that install a package from its file.

    The lab's inventory takes a file for the real one, and closes the port of the double.
    """
    return {
        "lab_zerotier_double": not REAL,
        "zerotier_install_method": "deb",
        "zerotier_deb": str(file),
        "zerotier_deb_sha256": sha256(file.read_bytes()).hexdigest(),
    }


def make(folder: Path) -> Packages:
    """Make three versions of the double, the newest without a controller, and repositories.

    With a package of the real ZeroTier there is that one version.
    """
    debs = packages(folder)
    repository, other = folder / "repository", folder / "other"
    for place in (repository, other):
        script(DOUBLE / "repository.py", place, *debs.values())
    return Packages(debs, repository, other / "key.asc")


def packages(folder: Path) -> dict[str, Path]:
    """Build the double in each version, the oldest first; or return the real one."""
    if REAL:
        return {"real": Path(os.environ["ZEROTIER_DEB"]).resolve()}
    debs = {version: folder / f"zerotier-one_{version}.deb" for version in VERSIONS}
    for version, options in VERSIONS.items():
        script(DOUBLE / "build.py", debs[version], "--version", version, *options)
    return debs


def script(path: Path, *arguments: object) -> None:
    """Run one of the double's scripts."""
    command = [sys.executable, str(path), *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def serve(repository: Path) -> None:
    """Serve a repository from one of the nodes to all of them, past any proxy of this machine."""
    podman("cp", str(repository), f"{SERVER}:/srv/repository")
    serving = f"python3 -m http.server {PORT} --directory /srv/repository"
    on(SERVER, f"systemd-run --unit=repository {serving}")
    direct = f'Acquire::http::Proxy::{SERVER_IP} "DIRECT";'
    for node in NODES:
        on(node, f"echo '{direct}' > /etc/apt/apt.conf.d/99repository")


def stop_serving() -> None:
    """Let nothing more listen on that node than what belongs there."""
    on(SERVER, "systemctl stop repository")
