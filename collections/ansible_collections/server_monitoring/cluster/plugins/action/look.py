"""See what is on a host, by one shell script: a module for each question costs many times that."""

import base64
import shlex
from collections.abc import Iterator
from typing import Any

from ansible.plugins.action import ActionBase

DOCUMENTATION = r"""
module: look
short_description: See what is on a host, by one shell script
description:
  - Asks all questions of a role at once. Changes nothing, also runs in check mode.
  - Needs no Python on the host. What it reads is shown at C(-v); secrets are not to be read so.
options:
  paths: {description: Which of these files and folders are there., type: list, elements: str}
  read: {description: What is in these files; links are not followed., type: list, elements: str}
  packages: {description: Which of these Debian packages are missing., type: list, elements: str}
  accounts: {description: The group, home and shell of these users., type: list, elements: str}
  commands:
    description:
      - By any name the words of a command that only reads, or C(argv) and C(stdin).
    type: dict
"""

RETURN = r"""
present: {description: Paths that are there, also links to nothing., type: list, elements: str}
content: {description: By its path what is in a file; none for one that is not there., type: dict}
missing: {description: Packages that are not installed., type: list, elements: str}
accounts: {description: By its name a user's C(group), C(home) and C(shell)., type: dict}
said: {description: By its name a command's C(rc), C(out) and C(err)., type: dict}
"""

SPEC: dict[str, dict[str, Any]] = {
    "paths": {"type": "list", "elements": "str", "default": []},
    "read": {"type": "list", "elements": "str", "default": []},
    "packages": {"type": "list", "elements": "str", "default": []},
    "accounts": {"type": "list", "elements": "str", "default": []},
    "commands": {"type": "dict", "default": {}},
}
_WORDS_OF_A_LINE = 4
# Of a file at most 1 MiB.
_MOST = "bs=64k count=16"


class ActionModule(ActionBase):
    """The action: it runs on the control machine and asks the host by its connection."""

    _supports_check_mode = True

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask, and return the answers, or `failed` where there is no shell that does."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, questions = self.validate_argument_spec(argument_spec=SPEC)
        done = self._low_level_execute_command(script(questions))
        if done["rc"] != 0:
            said = " ".join((done["stderr"] or done["stdout"]).split())
            return result | {"failed": True, "msg": f"cannot look at the host: {said}"}
        return result | {"changed": False} | answers(questions, done["stdout"])


def script(questions: dict[str, Any]) -> str:
    """Return a POSIX script that asks; each answer is a line: kind, number of the question, texts.

    Texts that may hold anything are in base64.
    """
    return "\n".join(["export LC_ALL=C", *_lines(questions), "true"])


def _lines(questions: dict[str, Any]) -> Iterator[str]:
    for number, path in enumerate(map(shlex.quote, questions["paths"])):
        yield f"if [ -e {path} ] || [ -L {path} ]; then echo present {number}; fi"
    for number, path in enumerate(map(shlex.quote, questions["read"])):
        # A link that somebody has put there is not followed, and a pipe not waited for.
        told = (
            f"$(dd if={path} {_MOST} iflag=nofollow,nonblock,fullblock status=none | base64 -w 0)"
        )
        yield f'if [ -f {path} ] && [ ! -L {path} ]; then echo "content {number} {told}"; fi'
    for number, package in enumerate(map(shlex.quote, questions["packages"])):
        asked = f"dpkg-query --show --showformat='${{db:Status-Status}}' {package} 2>/dev/null"
        yield f'echo "package {number} $({asked})"'
    for number, name in enumerate(map(shlex.quote, questions["accounts"])):
        told = f"$(id -gn {name}):$(getent passwd {name} | cut -d : -f 6,7)"
        answer = f'echo "account {number} $(echo "{told}" | base64 -w 0)"'
        yield f"if id {name} >/dev/null 2>&1; then {answer}; fi"
    for number, command in enumerate(questions["commands"].values()):
        given: dict[str, Any] = command if isinstance(command, dict) else {"argv": command}
        words, fed = shlex.join(map(str, given["argv"])), shlex.quote(given.get("stdin", ""))
        yield "errors=$(mktemp)"
        yield f'out=$(printf %s {fed} | {words} 2>"$errors"); code=$?'
        told = '$code $(printf %s "$out" | base64 -w 0) $(base64 -w 0 "$errors")'
        yield f'echo "said {number} {told}"; rm "$errors"'


def answers(questions: dict[str, Any], text: str) -> dict[str, Any]:
    """Return the answers in what the script printed; see RETURN."""
    found: dict[str, Any] = {"present": [], "content": {}, "accounts": {}, "said": {}}
    installed = set()
    for line in text.splitlines():
        kind, number, *told = line.split(" ") + [""] * _WORDS_OF_A_LINE
        if not number.isdigit():
            continue  # of a login shell
        at = int(number)
        if kind == "present":
            found["present"].append(questions["paths"][at])
        elif kind == "content":
            found["content"][questions["read"][at]] = _decoded(told[0])
        elif kind == "package" and told[0] == "installed":
            installed.add(questions["packages"][at])
        elif kind == "account":
            names = ("group", "home", "shell")
            values = _decoded(told[0]).strip().split(":")
            found["accounts"][questions["accounts"][at]] = dict(zip(names, values, strict=True))
        elif kind == "said":
            said = {"rc": int(told[0]), "out": _decoded(told[1]), "err": _decoded(told[2])}
            found["said"][list(questions["commands"])[at]] = said
    missing = [package for package in questions["packages"] if package not in installed]
    return found | {"missing": missing}


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode(errors="replace")
