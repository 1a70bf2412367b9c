"""Ansible module: give the runs of an older version to the users of this one."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import stat
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENTATION = r"""
module: pipeline_take_over
short_description: Give the runs of an older version to the users of this one
description:
  - An older version had one user for all units, who owned the folders of runs too. Now these are
    root's, and what is in them belongs to the unit that writes it, so that runs go on.
  - Goes from folder to folder by what is open, follows no link, and gives away nothing but what was
    that user's.
options:
  data_dir:
    description: Where the app keeps its data; it and its folders are root's already.
    type: path
    required: true
  former:
    description: The user that an older version had.
    type: str
    required: true
  owners:
    description: Who owns what is in a run's folder, by pattern; one that is not there, nothing.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Take over from the one user that an older version had for all
  server_monitoring.cluster.pipeline_take_over:
    data_dir: /var/lib/server-monitoring
    former: server-monitoring
    owners: {"produce.*": sm-produce}
"""

RETURN = r"""
runs: {description: Names of the runs that were taken over., type: list, elements: str}
"""

ARGUMENTS: dict[str, Any] = {
    "data_dir": {"type": "path", "required": True},
    "former": {"type": "str", "required": True},
    "owners": {"type": "dict", "required": True},
}
GROUP = "server-monitoring"
# Made by root for a run's units, which systemd reads.
OPTIONS = ("produce.env", "analyze.env")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_ANYTHING = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


class Keeper:
    """Gives what is a former user's to others, and folders to root."""

    def __init__(self, former: int, group: int, owners: dict[str, int]) -> None:
        """Take numbers of the users and of their group; `owners` are by pattern."""
        self._former = former
        self._group = group
        self._owners = owners

    def take(self, run: int, options: int) -> None:
        """Take over the open folder of a run; what systemd reads goes to the open `options`."""
        self._close(run)
        for name in OPTIONS:
            _move(run, name, options)
        for name, found in _entries(run):
            if name == "raw" and stat.S_ISDIR(found.st_mode):
                self._take_raw(run)
            elif stat.S_ISREG(found.st_mode):
                self._give(run, name, name)
        self._open(run)

    def _take_raw(self, run: int) -> None:
        raw = os.open("raw", _FOLDER, dir_fd=run)
        try:
            self._close(raw)
            for topic, found in _entries(raw):
                if not stat.S_ISDIR(found.st_mode):
                    continue
                folder = os.open(topic, _FOLDER, dir_fd=raw)
                try:
                    for name, _ in _entries(folder):
                        self._give(folder, name, f"raw/{topic}")
                finally:
                    os.close(folder)
                self._give(raw, topic, f"raw/{topic}")
            self._open(raw)
        finally:
            os.close(raw)

    def _close(self, folder: int) -> None:
        """From now on root alone changes what is in a folder."""
        os.fchown(folder, 0, self._group)
        os.fchmod(folder, 0o750)

    def _open(self, folder: int) -> None:
        """Each user makes his own files there, and removes no other's."""
        os.fchmod(folder, 0o1770)

    def _give(self, folder: int, name: str, known: str) -> None:
        """Give one thing to whom its pattern names, if it was the former user's."""
        owner = next((o for p, o in self._owners.items() if fnmatchcase(known, p)), None)
        handle = os.open(name, _ANYTHING, dir_fd=folder)
        try:
            found = os.fstat(handle)
            is_one = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
            if owner is not None and is_one and found.st_uid == self._former:
                os.chown(f"/proc/self/fd/{handle}", owner, self._group)
        finally:
            os.close(handle)


def _entries(folder: int) -> Iterator[tuple[str, os.stat_result]]:
    """Yield what is in an open folder, links as links."""
    for name in sorted(os.listdir(folder)):
        yield name, os.stat(name, dir_fd=folder, follow_symlinks=False)


def _move(run: int, name: str, options: int) -> None:
    """Copy a file of root's from a run's folder; what else has its name is left."""
    try:
        handle = os.open(name, _FILE, dir_fd=run)
    except OSError:
        return
    with os.fdopen(handle, "rb") as stream:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != 0:
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        copy = os.open(name, flags, 0o640, dir_fd=options)
        with os.fdopen(copy, "wb") as target:
            target.write(stream.read())


def take_over(data_dir: str, keeper: Keeper, former: int) -> list[str]:
    """Take over every run that the former user owns; return their names. Raises OSError."""
    runs = os.open(os.path.join(data_dir, "runs"), _FOLDER)  # noqa: PTH118 - beside os.open
    units = os.open(os.path.join(data_dir, "units"), _FOLDER)  # noqa: PTH118 - as above
    taken = []
    for name, found in _entries(runs):
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != former:
            continue
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o750, dir_fd=units)
        run, options = (os.open(name, _FOLDER, dir_fd=folder) for folder in (runs, units))
        keeper.take(run, options)
        os.close(run)
        os.close(options)
        taken.append(name)
    return taken


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENTS)
    params: dict[str, Any] = module.params
    there = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    owners = {pattern: there[name] for pattern, name in params["owners"].items() if name in there}
    former = there[params["former"]]
    keeper = Keeper(former, grp.getgrnam(GROUP).gr_gid, owners)
    try:
        taken = take_over(params["data_dir"], keeper, former)
    except OSError as error:
        module.fail_json(msg=f"{params['data_dir']}: {error.filename}: {error.strerror}")
    module.exit_json(changed=bool(taken), runs=taken)


if __name__ == "__main__":
    main()
