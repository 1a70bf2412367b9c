"""Pack what makes this machine the controller of its networks, or lay it down again."""

from __future__ import annotations

import base64
import gzip
import io
import os
import tarfile
import zlib
from pathlib import Path
from typing import Any

from ..module_utils.zerotier import files
from ..module_utils.zerotier.api import ZerotierError
from ..module_utils.zerotier.module import HOME, AnsibleModule, run

DOCUMENTATION = r"""
module: zerotier_backup
short_description: Pack what makes this machine the controller of its networks, or lay it down again
description:
  - Packs the node's identity, its networks with their members, and its moon. The archive holds the
    node's secret, so a task that uses this module must not be logged.
  - With an archive it lays that down instead. The service must be stopped.
  - An identity that the archive replaces is kept beside it, with C(.before-restore) in its name.
options:
  archive:
    description: What an earlier run packed, in base 64; empty to pack.
    type: str
    default: ""
  replace_networks:
    description: Whether networks of another identity may be replaced.
    type: bool
    default: false
extends_documentation_fragment:
  - server_monitoring.cluster.zerotier.home
"""

EXAMPLES = r"""
- name: Pack the controller
  server_monitoring.cluster.zerotier_backup:
  register: packed
  no_log: true
"""

RETURN = r"""
archive:
  description: The archive in base 64, empty after laying one down.
  type: str
  returned: success
address:
  description: The ZeroTier address of the identity in the archive.
  type: str
  returned: success
networks:
  description: Ids of the networks in the archive.
  type: list
  elements: str
  returned: success
"""

IDENTITY = ("identity.public", "identity.secret")
TREES = ("controller.d", "moons.d")
MOON = ("server-monitoring.moon.json", "server-monitoring.moon")
_NETWORKS = "controller.d/network"


def keep(module: AnsibleModule) -> dict[str, Any]:
    """Pack or lay down and return the module's result."""
    home, given = Path(module.params["home"]), module.params["archive"]
    if not given:
        return {"changed": False, **_contents(pack(home))}
    content = unpacked(given)
    found = _contents(content)
    old = _address(home)
    theirs = _networks(home) if old not in ("", found["address"]) else []
    if theirs and not module.params["replace_networks"]:
        message = (
            f"{home} is the home of another controller, {old}, which keeps {', '.join(theirs)}; "
            "to lose these pass -e restore_confirm=yes, or restore on another host"
        )
        raise ZerotierError(message)
    if not module.check_mode:
        lay_down(home, content)
    return {"changed": True, **found, "archive": ""}


def pack(home: Path) -> dict[str, bytes]:
    """Return the files by their name below the home directory; raises ZerotierError."""
    names = [home / name for name in (*IDENTITY, *MOON)]
    names += [file for tree in TREES for file in sorted((home / tree).rglob("*"))]
    missing = [name for name in IDENTITY if not (home / name).exists()]
    if missing:
        message = f"{home}/{missing[0]} is missing: this machine has no identity to back up"
        raise ZerotierError(message)
    return {str(file.relative_to(home)): file.read_bytes() for file in names if file.is_file()}


def archived(content: dict[str, bytes]) -> str:
    """Return files as a compressed tar archive in base 64."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, data in content.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o600
            archive.addfile(entry, io.BytesIO(data))
    return base64.b64encode(stream.getvalue()).decode()


def unpacked(text: str) -> dict[str, bytes]:
    """Return the files of an archive; raises ZerotierError for one that `archived` did not make."""
    try:
        # Whole, so that its checksum is looked at: a reader of the archive stops before that.
        data = gzip.decompress(base64.b64decode(text, validate=True))
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            content = {
                entry.name: stream.read()
                for entry in archive.getmembers()
                if entry.isfile() and (stream := archive.extractfile(entry)) is not None
            }
    except (ValueError, tarfile.TarError, zlib.error, EOFError, OSError) as problem:
        message = f"the backup is damaged ({problem}); take another one"
        raise ZerotierError(message) from problem
    strange = [name for name in content if not _is_ours(name)]
    missing = [name for name in IDENTITY if name not in content]
    if strange or missing:
        what = f"holds {strange[0]!r}" if strange else f"lacks {missing[0]}"
        message = f"the backup {what}, so it is none of overlay_backup.yml; take another one"
        raise ZerotierError(message)
    return content


def _is_ours(name: str) -> bool:
    """Tell whether a file of an archive belongs there: a known one, or inside one of the trees."""
    folder, *below = Path(name).parts or ("",)
    return name in (*IDENTITY, *MOON) or (folder in TREES and bool(below) and ".." not in below)


def _refuse_links(home: Path) -> None:
    """Raise ZerotierError for a folder that is a link: what it leads to is not ours to change."""
    for tree in TREES:
        for path in (home / tree, *(home / tree).rglob("*")):
            if path.is_symlink() and not path.is_file():
                message = (
                    f"{path} is a symbolic link, expected a folder; see who made it, remove it"
                )
                raise ZerotierError(message)


def lay_down(home: Path, content: dict[str, bytes]) -> None:
    """Write the files, all for their owner alone, in the service's own user's name.

    Networks and moons that the backup does not have go, so that the controller is what it was.
    """
    _refuse_links(home)
    present = (file for tree in TREES for file in (home / tree).rglob("*") if file.is_file())
    for file in [found for found in present if str(found.relative_to(home)) not in content]:
        file.unlink()
    for name in IDENTITY:
        old = home / name
        if old.exists() and old.read_bytes() != content[name]:
            old.replace(home / f"{name}.before-restore")
    owner = home.stat()
    for name, data in content.items():
        file = home / name
        for folder in reversed(file.relative_to(home).parents[:-1]):
            if not (home / folder).exists():
                (home / folder).mkdir(mode=0o700)
                os.chown(home / folder, owner.st_uid, owner.st_gid)
        files.replace(file, data, 0o644 if name == "identity.public" else 0o600, owner)


def _contents(content: dict[str, bytes]) -> dict[str, Any]:
    stems = (Path(name) for name in content)
    return {
        "archive": archived(content),
        "address": content["identity.public"].decode("ascii", "replace").partition(":")[0],
        "networks": sorted(path.stem for path in stems if str(path.parent) == _NETWORKS),
    }


def _address(home: Path) -> str:
    file = home / "identity.public"
    return file.read_text("utf-8").partition(":")[0] if file.exists() else ""


def _networks(home: Path) -> list[str]:
    return sorted(file.stem for file in (home / _NETWORKS).glob("*.json"))


ARGUMENTS: dict[str, Any] = {
    **HOME,
    "archive": {"type": "str", "no_log": True, "default": ""},
    "replace_networks": {"type": "bool", "default": False},
}


if __name__ == "__main__":
    run(ARGUMENTS, keep)
