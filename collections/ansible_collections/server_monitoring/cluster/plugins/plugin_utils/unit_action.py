"""What the actions that watch systemd units have in common."""

import json
import shlex
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

# At most 16 MiB of a file.
_READ = "dd iflag=nofollow,nonblock,fullblock bs=64k count=256 status=none"


class UnitAction(ActionBase):
    """An action on the control machine that asks the host by its connection."""

    _supports_check_mode = False

    def command(self, *argv: str) -> str:
        """Run a command on the host, as root, and return what it printed."""
        answer = self._low_level_execute_command(
            shlex.join(["env", "LC_ALL=C", *argv]), sudoable=True
        )
        return str(answer["stdout"])

    def read(self, paths: list[str]) -> list[Any]:
        """Return the JSON document of each file on the host, by one command.

        Raises:
            AnsibleActionFail: a file is missing, or holds none.

        """
        if not paths:
            return []
        # The units could put something else there: no link is followed, and no pipe waited for.
        script = ["sh", "-c", f'for path; do {_READ} "if=$path"; done', "sh", *paths]
        rest, documents = self.command(*script), []
        try:
            while rest := rest.lstrip():
                document, end = json.JSONDecoder().raw_decode(rest)
                documents.append(document)
                rest = rest[end:]
        except json.JSONDecodeError:
            documents = []
        if len(documents) != len(paths):
            message = f"found {rest.strip() or 'nothing'}, expected JSON in {' and '.join(paths)}"
            raise AnsibleActionFail(message)
        return documents
