"""Files and folders of a host, made as entries say: compared, replaced whole, or removed.

Guarantee: root goes no way that somebody else can turn elsewhere. Each folder on it is root's;
where others may make files of their own (the sticky bit), theirs are replaced, not used.
"""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import stat
import tempfile
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..module_utils.ways import FileError, check_way, is_another_s, other, status

if TYPE_CHECKING:
    from collections.abc import Callable

    from ansible.module_utils.basic import AnsibleModule

Json = dict[str, Any]

_TEXT_TO_COMPARE = 100_000


def keep(module: AnsibleModule) -> Json:
    """Make all entries true; return the module's result. Raises FileError, OSError."""
    entries, changed, diffs = module.params["files"], [], []
    for entry in entries:
        diff: Json = {}
        if not module.check_mode:  # an entry before this one may have set the way right
            check_way(Path(entry["path"]))
        if _KINDS[entry["state"]](module, entry, diff):
            changed.append(entry["path"])
            diffs.append(diff)
    named = {entry["path"] for entry in entries}
    for entry in entries:
        for path in _stale(entry, named):
            changed.append(str(path))
            diffs.append(_states(path, "file", "absent"))
            if not module.check_mode:
                path.unlink()
    return {"changed": bool(changed), "paths": changed, "diff": [diff for diff in diffs if diff]}


def _file(module: AnsibleModule, entry: Json, diff: Json) -> bool:
    path = Path(entry["path"])
    found = status(path)
    if found and stat.S_ISDIR(found.st_mode):
        raise other(path, "a file")
    if found and is_another_s(path, found):
        found = None
    if found and not (stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)):
        raise other(path, "a file")
    if entry["content"] is None and entry["parts"] is None:
        if module.check_mode and not found:
            return True
        if not found or not stat.S_ISREG(found.st_mode):
            raise other(path, "a file")
        return _attributes(module, entry, path, diff)
    wanted = _content(module, entry)
    before = _bytes(path) if found else None
    if before is not None and before == wanted:
        return _attributes(module, entry, path, diff)
    if not entry["secret"] and not entry["parts"]:
        names = {"before_header": entry["path"], "after_header": entry["path"]}
        diff |= names | {"before": _shown(before or b""), "after": _shown(wanted or b"")}
    if not module.check_mode:
        _replace(module, entry, path, wanted or b"")
    return True


def _content(module: AnsibleModule, entry: Json) -> bytes | None:
    """Return a file's bytes; None for parts that are not there yet in check mode."""
    if entry["parts"] is None:
        return str(entry["content"]).encode()
    if module.check_mode and not all(Path(part).exists() for part in entry["parts"]):
        return None
    parts = [Path(part).read_bytes() for part in entry["parts"]]
    return b"".join(part if part.endswith(b"\n") else part + b"\n" for part in parts)


def _replace(module: AnsibleModule, entry: Json, path: Path, content: bytes) -> None:
    """Put a new file into a file's place; it is never open to more than it will be."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(handle)
        _attributes(module, entry, fresh, {})
        if entry["validate"]:
            command = entry["validate"].replace("%s", shlex.quote(name))
            code, out, err = module.run_command(command)
            if code != 0:
                said = " ".join((err or out).split())
                message = f"{path}: refused by {entry['validate']}: {said}"
                raise FileError(message)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _directory(module: AnsibleModule, entry: Json, diff: Json) -> bool:
    path = Path(entry["path"])
    found = status(path)
    if found and stat.S_ISLNK(found.st_mode):
        if found.st_uid not in (0, os.geteuid()) or not path.is_dir():
            raise other(path, "a folder")
        return _attributes(module, entry, path.resolve(), diff)
    if found and (not stat.S_ISDIR(found.st_mode) or is_another_s(path, found)):
        raise other(path, "a folder")
    if found:
        return _attributes(module, entry, path, diff)
    diff |= _states(path, "absent", "directory")
    if not module.check_mode:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700)
        _attributes(module, entry, path, {})
    return True


def _link(module: AnsibleModule, entry: Json, diff: Json) -> bool:
    path = Path(entry["path"])
    found = status(path)
    if found and not stat.S_ISLNK(found.st_mode):
        raise other(path, "a link")
    before = str(path.readlink()) if found else ""
    if before == entry["target"]:
        return _attributes(module, entry, path, diff)
    diff |= {
        "before": {"path": entry["path"], "target": before},
        "after": {"path": entry["path"], "target": entry["target"]},
    }
    if not module.check_mode:
        fresh = path.with_name(f".{path.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(entry["target"])
        _attributes(module, entry, fresh, {})
        fresh.replace(path)
    return True


def _absent(module: AnsibleModule, entry: Json, diff: Json) -> bool:
    path = Path(entry["path"])
    found = status(path)
    if found and stat.S_ISDIR(found.st_mode):
        raise other(path, "no folder")
    if not found:
        return False
    diff |= _states(path, "file", "absent")
    if not module.check_mode:
        path.unlink()
    return True


def _stale(entry: Json, named: set[str]) -> list[Path]:
    """Return what a folder holds that matches, and that no entry names."""
    folder = Path(entry["path"])
    if not entry["purge"] or not folder.is_dir():
        return []
    matching = [path for path in folder.iterdir() if fnmatchcase(path.name, entry["purge"])]
    return sorted(
        path
        for path in matching
        if str(path) not in named and (path.is_file() or path.is_symlink())
    )


def _attributes(module: AnsibleModule, entry: Json, path: Path, diff: Json) -> bool:
    """Set owner, group and mode, and tell whether they were others."""
    wanted: Json = {key: entry[key] for key in ("owner", "group", "mode")}
    if module.check_mode and not _are_known(entry):
        return True  # a role makes them before
    wanted |= {"path": str(path), "attributes": None, "secontext": module.selinux_initial_context()}
    if path.is_symlink():
        wanted["mode"] = None
    changed: bool = module.set_fs_attributes_if_different(wanted, changed=False, diff=diff)
    return changed


def _are_known(entry: Json) -> bool:
    """Tell whether a file's owner and group are there; numbers always are."""
    finders = ((entry["owner"], pwd.getpwnam), (entry["group"], grp.getgrnam))
    try:
        for name, find in finders:
            if name and not name.isdigit():
                find(name)
    except KeyError:
        return False
    return True


def _bytes(path: Path) -> bytes | None:
    """Return what is in a file; None for anything else. No link is followed, no pipe waited for."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as stream:
        return stream.read() if stat.S_ISREG(os.fstat(handle).st_mode) else None


def _states(path: Path, before: str, after: str) -> Json:
    return {
        "before": {"path": str(path), "state": before},
        "after": {"path": str(path), "state": after},
    }


def _shown(content: bytes) -> str:
    """Return what a comparison shows of a content."""
    if len(content) > _TEXT_TO_COMPARE or b"\0" in content:
        return f"({len(content)} bytes)\n"
    return content.decode(errors="replace")


_KINDS: dict[str, Callable[[AnsibleModule, Json, Json], bool]] = {
    "file": _file,
    "directory": _directory,
    "link": _link,
    "absent": _absent,
}
