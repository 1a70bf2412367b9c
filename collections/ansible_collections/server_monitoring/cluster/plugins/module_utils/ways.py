"""The folders on the way to a path, and who can turn one of them elsewhere."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path

# Debian gives /usr/local to the second one, which no service is in.
_ADMINISTRATORS = ("root", "staff")


class FileError(Exception):
    """Something cannot be made true; the message is one line."""


def status(path: Path) -> os.stat_result | None:
    """Return what stands at a path, not what a link there shows to."""
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def check_way(path: Path) -> None:
    """Raise FileError for a path that another user can turn elsewhere; root alone is asked."""
    if os.geteuid() != 0:
        return
    here, ahead = Path("/"), list(Path(os.path.abspath(path)).parent.parts[1:])  # noqa: PTH100 - as given
    while True:
        folder = here.stat()
        if not _is_safe(folder):
            message = (
                f"{path}: found the folder {here} on the way, which others than root can change "
                f"({_name(folder.st_uid)}, {stat.S_IMODE(folder.st_mode):o}); give it to root"
            )
            raise FileError(message)
        if not ahead:
            return
        step = here / ahead.pop(0)
        found = status(step)
        if found is None:
            return  # it will be made
        if stat.S_ISLNK(found.st_mode):
            if found.st_uid != 0:
                raise other(step, "a folder")
            target = step.readlink()
            ahead[:0] = [part for part in target.parts if part != "/"]
            here = Path("/") if target.is_absolute() else here
        elif step.name == "..":
            here = here.parent
        elif stat.S_ISDIR(found.st_mode):
            here = step
        else:
            raise other(step, "a folder")


def _is_safe(folder: os.stat_result) -> bool:
    """Tell whether root alone can rename what is in a folder, or who made it himself."""
    others = folder.st_mode & stat.S_IWOTH or (
        folder.st_mode & stat.S_IWGRP and _group(folder.st_gid) not in _ADMINISTRATORS
    )
    return folder.st_uid == 0 and (not others or bool(folder.st_mode & stat.S_ISVTX))


def is_another_s(path: Path, found: os.stat_result) -> bool:
    """Tell whether somebody made this in a folder that is open to him, and may change it again."""
    parent = path.parent.stat()
    is_open = parent.st_mode & stat.S_ISVTX and parent.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return bool(is_open) and found.st_uid not in (0, os.geteuid())


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def other(path: Path, expected: str) -> FileError:
    """Return what to say of a path where something else stands than expected."""
    return FileError(f"{path}: found none or something else, expected {expected}: see who made it")
