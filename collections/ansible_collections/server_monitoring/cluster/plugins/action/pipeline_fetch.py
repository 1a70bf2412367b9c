"""Bring a file that a service wrote to the control machine, piece by piece."""

import base64
import gzip
import shlex
import zlib
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail

from ..plugin_utils.unit_action import UnitAction

DOCUMENTATION = r"""
module: pipeline_fetch
short_description: Bring a file that a service wrote to the control machine, piece by piece
description:
  - The file may have become something else, as the service can change it. No link is followed, so
    that nothing else of the node comes along, and no pipe is waited for.
  - Takes as much memory as a piece, however large the file is.
options:
  src:
    description: The file on the host; folders above it are root's, or O(user) says who reads it.
    type: str
    required: true
  dest: {description: Where it comes to., type: str, required: true}
  user:
    description: A user whose rights, with those of the group server-monitoring, it is read with.
    type: str
    default: root
"""
ROOT = "root"
SPEC: dict[str, dict[str, Any]] = {
    "src": {"type": "str", "required": True},
    "dest": {"type": "str", "required": True},
    "user": {"type": "str", "default": ROOT},
}
PIECE = 16 << 20


class ActionModule(UnitAction):
    """The action: it runs on the control machine and asks the host by its connection."""

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Bring the file; return `changed`, or raise where there is none."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(argument_spec=SPEC)
        target = Path(args["dest"])
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            while piece := self._piece(args["src"], file.tell(), args["user"]):
                file.write(piece)
        return result | {"changed": True}

    def _piece(self, path: str, start: int, user: str) -> bytes:
        """Return what stands in the file from a byte on, at most a piece; nothing at its end."""
        said = self._low_level_execute_command(script(path, start, user))
        try:
            return unpacked(said["stdout"])
        except ValueError as error:
            message = f"{path}: found no file to bring, expected the one that the run made there"
            raise AnsibleActionFail(message) from error


def unpacked(text: str) -> bytes:
    """Return the piece that the script printed. Raises ValueError if it found no file."""
    try:
        packed = base64.b64decode(text)
        if not packed:
            raise ValueError(text)
        return gzip.decompress(packed)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(text) from error


def script(path: str, start: int, user: str = ROOT) -> str:
    """Return a POSIX script that prints a piece, packed by gzip, in base64; or nothing."""
    flags = "nofollow,nonblock,fullblock,skip_bytes,count_bytes"
    words = ["dd", f"if={path}", f"iflag={flags}", f"skip={start}", f"count={PIECE}", "bs=1M"]
    become = ["setpriv", f"--reuid={user}", "--regid=server-monitoring", "--clear-groups"]
    own = become if user != ROOT else []
    found, may_read = shlex.quote(path), shlex.join([*own, "test", "-r", path])
    return (
        f"export LC_ALL=C; if [ -f {found} ] && [ ! -L {found} ] && {may_read}; then "
        f"{shlex.join([*own, *words, 'status=none'])} | gzip -1 | base64 -w 0; fi"
    )
