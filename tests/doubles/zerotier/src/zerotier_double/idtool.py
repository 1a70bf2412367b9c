"""The command zerotier-idtool: the parts of it that making a moon needs."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import world
from .controller import milliseconds
from .identity import parse_identity
from .variant import BUILT

if TYPE_CHECKING:
    from collections.abc import Callable

    from .identity import Identity

USAGE = f"""ZeroTier One version {BUILT.version} (a double)
Usage: zerotier-idtool <command> [<args>]

Commands:
  validate <identity.secret/public>
  getpublic <identity.secret>
  initmoon <identity.public of first seed>
  genmoon <moon json>
"""
_SHORTEST_LITERAL = 33


class ToolError(Exception):
    """An argument that cannot be used; the text goes to stderr, the exit status is 1."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command in the current folder; exit status 0 or 1, 134 where the real one aborts."""
    arguments = sys.argv[1:] if arguments is None else arguments
    command, argument = [*arguments, "", ""][:2]
    if command not in _COMMANDS or len(arguments) < len(("command", "argument")):
        sys.stdout.write(USAGE)
        # The real one lets these two pass without an argument.
        return 0 if command in {"initmoon", "genmoon"} else 1
    try:
        sys.stdout.write(_COMMANDS[command](argument))
    except world.WorldError as problem:
        sys.stderr.write(f"{problem}\n")
        return problem.status
    except ToolError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


def _validate(argument: str) -> str:
    if not _identity(argument).genuine:
        message = f"{argument} FAILED validation."
        raise ToolError(message)
    return f"{argument} is a valid identity\n"


def _get_public(argument: str) -> str:
    return _identity(argument).public


def _init_moon(argument: str) -> str:
    root = _find(argument)
    if root is None:
        message = f"{argument} is not a valid identity"
        raise ToolError(message)
    return json.dumps(world.new_moon(root), indent=1, sort_keys=True) + "\n"


def _gen_moon(argument: str) -> str:
    now = milliseconds()
    record = world.make(_moon_json(argument), argument, now)
    name = f"{record['id']}.moon"
    # The real one does not look whether its file was written.
    with contextlib.suppress(OSError):
        Path(name).write_text(json.dumps(record, sort_keys=True), "utf-8")
    return f"wrote {name} (signed world with timestamp {now})\n"


def _moon_json(name: str) -> Any:
    try:
        return json.loads(Path(name).read_text("utf-8"))
    except OSError:
        message = f"cannot read {name}"
        raise ToolError(message) from None
    except ValueError:
        message = f"{name} is no JSON"
        raise world.WorldError(message, 134) from None


def _identity(argument: str) -> Identity:
    found = _find(argument)
    if found is None:
        message = f"Identity argument invalid or file unreadable: {argument}"
        raise ToolError(message)
    return found


def _find(argument: str) -> Identity | None:
    """Return the identity that an argument is, or that the file of that name holds."""
    if len(argument) >= _SHORTEST_LITERAL and argument[10] == ":":
        return parse_identity(argument)
    try:
        return parse_identity(Path(argument).read_text("utf-8"))
    except (OSError, ValueError):
        return None


_COMMANDS: dict[str, Callable[[str], str]] = {
    "validate": _validate,
    "getpublic": _get_public,
    "initmoon": _init_moon,
    "genmoon": _gen_moon,
}
