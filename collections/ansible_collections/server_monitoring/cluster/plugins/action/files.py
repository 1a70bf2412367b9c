"""Compare files on a host by one shell script, and start the module where something differs."""

import hashlib
import shlex
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

from ansible.plugins.action import ActionBase

from ..modules.files import ARGUMENTS

MODULE = "server_monitoring.cluster.files"
# As stat tells the kinds of what it finds; a link in a folder's place is the module's to judge.
_KINDS = {
    "file": ("regular file", "regular empty file"),
    "directory": ("directory",),
    "link": ("symbolic link",),
    "absent": ("",),
}

# Follows no link that somebody has put there, and waits for no pipe.
_READ = "dd iflag=nofollow,nonblock bs=64k status=none"


class ActionModule(ActionBase):
    """The action: what it does not know to be right it leaves to the module."""

    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return that nothing changed, or what the module returns."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        done = self._low_level_execute_command(script(args["files"]))
        if done["rc"] == 0 and are_right(args["files"], done["stdout"]):
            return result | {"changed": False, "paths": [], "diff": []}
        # A copy: what Ansible adds to it would be there when the task is tried again.
        given = dict(self._task.args)
        module: dict[str, Any] = self._execute_module(
            module_name=MODULE, module_args=given, task_vars=task_vars
        )
        return result | module


def script(entries: list[dict[str, Any]]) -> str:
    """Return a POSIX script that prints what stands at each entry's path, a line for each fact."""
    return "\n".join(["export LC_ALL=C", *_lines(entries), "true"])


def _lines(entries: list[dict[str, Any]]) -> Iterator[str]:
    for number, entry in enumerate(entries):
        path = shlex.quote(entry["path"])
        yield f"stat --format='status {number} %U %u %G %g %a %F' {path} 2>/dev/null"
        if entry["state"] == "file":
            yield f'echo "sum {number} $({_READ} if={path} 2>/dev/null | sha256sum)"'
        if entry["parts"]:
            parts = shlex.join(entry["parts"])
            yield f'echo "parts {number} $(cat {parts} 2>/dev/null | sha256sum)"'
        if entry["state"] == "link":
            yield f'echo "target {number} $(readlink {path})"'
        if entry["purge"]:
            yield f"ls -A {path} 2>/dev/null | sed 's/^/name {number} /'"


def are_right(entries: list[dict[str, Any]], text: str) -> bool:
    """Tell whether everything is as the entries say, by what the script printed."""
    found: list[dict[str, list[str]]] = [{} for _ in entries]
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        number, _, said = rest.partition(" ")
        if number.isdigit() and int(number) < len(entries):
            found[int(number)].setdefault(kind, []).append(said)
    named = {entry["path"] for entry in entries}
    return all(_is_right(*pair, named) for pair in zip(entries, found, strict=True))


def _is_right(entry: dict[str, Any], found: dict[str, list[str]], named: set[str]) -> bool:
    status = found.get("status", [""])[0].split(" ", 5)
    kind = status[-1]
    if kind not in _KINDS[entry["state"]]:
        return False
    if entry["state"] == "absent":
        return True
    user, uid, group, gid, mode = status[:5]
    return (
        entry["owner"] in (None, user, uid)
        and entry["group"] in (None, group, gid)
        and (entry["state"] == "link" or int(mode, 8) == int(entry["mode"], 8))
        and _has_content(entry, found)
        and not any(_is_stale(entry, name, named) for name in found.get("name", []))
    )


def _has_content(entry: dict[str, Any], found: dict[str, list[str]]) -> bool:
    if entry["state"] == "link":
        return found["target"] == [entry["target"]]
    if entry["content"] is not None:
        wanted = hashlib.sha256(entry["content"].encode()).hexdigest()
        return found["sum"][0].split()[:1] == [wanted]
    return not entry["parts"] or found["sum"] == found["parts"]


def _is_stale(entry: dict[str, Any], name: str, named: set[str]) -> bool:
    path = str(PurePosixPath(entry["path"]) / name)
    return fnmatchcase(name, entry["purge"]) and path not in named
